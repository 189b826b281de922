"""Dependencies of the whole, for those who build with Conan instead of Debian's packages.

Debian's packages (`./run setup`) are the tested way; this recipe names the same libraries at the same major versions.
"""

from conan import ConanFile
from conan.tools.cmake import cmake_layout


class Thalweg(ConanFile):
    name = "thalweg"
    version = "0.1.0"
    settings = "os", "arch", "compiler", "build_type"
    generators = "CMakeDeps", "CMakeToolchain", "PkgConfigDeps"
    requires = (
        "zeromq/4.3.5",
        "cppzmq/4.10.0",
        "boost/1.83.0",
        "nlohmann_json/3.11.3",
        "simdjson/3.6.3",
        "openssl/3.2.2",
        "libsodium/1.0.19",
        "spdlog/1.13.0",
        "fmt/10.2.1",
        "cli11/2.4.1",
        "tomlplusplus/3.4.0",
        "lz4/1.9.4",
        "jemalloc/5.3.0",
    )
    test_requires = ("catch2/2.13.10", "valijson/1.0.2")

    def configure(self):
        self.options["zeromq"].encryption = "libsodium"  # CURVE
        self.options["boost"].header_only = True

    def layout(self):
        cmake_layout(self)
