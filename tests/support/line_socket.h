// line_socket.h: a socket on loopback that takes in bytes as one on a network does.
#pragma once

#include <netinet/tcp.h>

#include <boost/asio/ip/tcp.hpp>

namespace thalweg {

/// For an acceptor before listen(), or a socket before it connects. A small buffer, so that a slow line is felt at the
/// sender; and segments of Ethernet's size: those of loopback (64 KiB) do not fit into such a buffer, and TCP then
/// sends what fits only five times a second (RFC 9293, 3.8.6.2: sender's silly window avoidance).
template <class Socket>
void take_in_like_a_line(Socket& socket) {
  constexpr int kBufferBytes = 32 * 1024, kSegmentBytes = 1448;
  boost::system::error_code ignored;
  socket.set_option(boost::asio::socket_base::receive_buffer_size(kBufferBytes), ignored);
  (void)::setsockopt(socket.native_handle(), IPPROTO_TCP, TCP_MAXSEG, &kSegmentBytes, sizeof kSegmentBytes);
}

}  // namespace thalweg
