#include "player.h"

#include <algorithm>
#include <array>
#include <boost/asio/connect.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/write.hpp>
#include <deque>
#include <map>
#include <utility>

#include "hj212/packet.h"

namespace thalweg::station {

namespace asio = boost::asio;
using asio::ip::tcp;
using boost::system::error_code;
using std::chrono::milliseconds;
using std::chrono::steady_clock;

namespace {

double ms_since(steady_clock::time_point then) {
  return std::chrono::duration<double, std::milli>(steady_clock::now() - then).count();
}

std::string qn_of(const Options& options, const Moment& moment, std::uint64_t round, std::uint64_t number) {
  if (!options.fresh) return hj212_time(shifted(moment, round)) + "000";
  using std::chrono::system_clock;
  static const std::int64_t begun_ms =
      std::chrono::duration_cast<milliseconds>(system_clock::now().time_since_epoch()).count() + 8 * 3600 * 1000;
  const std::int64_t ms = begun_ms + static_cast<std::int64_t>(number);
  std::string thousandths = std::to_string(ms % 1000 + 1000);
  return hj212_time(ms / 1000) + thousandths.substr(1);
}

class Player {
 public:
  Player(const Options& options, const std::vector<Moment>& table, const std::atomic<bool>& stop,
         const std::function<void(const std::string&, double)>& on_answer)
      : options_(options), table_(table), stop_(stop), on_answer_(on_answer) {
    summary_.packets = options.repeat * table.size();
  }

  Summary run() {
    tick();
    connect();
    io_.run();
    summary_.seconds = ms_since(begun_) / 1000;
    std::sort(latencies_.begin(), latencies_.end());
    if (!latencies_.empty()) {
      summary_.p50_ms = latencies_[latencies_.size() / 2];
      summary_.p99_ms = latencies_[latencies_.size() * 99 / 100];
    }
    return summary_;
  }

 private:
  struct UnderWay {
    std::uint64_t number;
    std::string data_time;
    std::string bytes;
    steady_clock::time_point first_sent, last_sent;
  };

  const Moment& moment_of(std::uint64_t number) const { return table_[number % table_.size()]; }

  bool finished() const {
    if (!options_.wait_answers) return summary_.sent == summary_.packets && !writing_ && to_write_.empty();
    return summary_.answered == summary_.packets;
  }

  void end() {
    done_ = true;
    timer_.cancel();
    retry_.cancel();
    interval_.cancel();
    resolver_.cancel();
    error_code ignored;
    if (!options_.wait_answers) socket_.shutdown(tcp::socket::shutdown_send, ignored);
    socket_.close(ignored);
  }

  /// Looks at the clock: stop, give up, unanswered packets.
  void tick() {
    if (done_) return;
    if (stop_ || (options_.give_up_ms > 0 && ms_since(begun_) > static_cast<double>(options_.give_up_ms))) return end();
    if (options_.wait_answers && connected_) {
      const auto late = steady_clock::now() - milliseconds(options_.timeout_ms);
      for (auto& [qn, one] : under_way_) {
        if (one.last_sent > late) continue;
        one.last_sent = steady_clock::now();
        ++summary_.resent;
        to_write_.push_back(one.bytes);
      }
      write();
    }
    timer_.expires_after(milliseconds(std::clamp<std::int64_t>(options_.timeout_ms / 4, 5, 100)));
    timer_.async_wait([this](error_code error) {
      if (!error) tick();
    });
  }

  void connect() {
    if (done_) return;
    resolver_.async_resolve(options_.host, options_.port,
                            [this](error_code error, const tcp::resolver::results_type& found) {
                              if (error) return again();
                              socket_ = tcp::socket(io_);
                              asio::async_connect(socket_, found, [this](error_code failed, const tcp::endpoint&) {
                                if (done_) return end();
                                if (failed) return again();
                                connected();
                              });
                            });
  }

  void again() {
    if (done_) return;
    retry_.expires_after(pause_);
    pause_ = std::min(pause_ * 2, milliseconds(5000));
    retry_.async_wait([this](error_code error) {
      if (!error) connect();
    });
  }

  void connected() {
    connected_ = true;
    pause_ = milliseconds(100);
    if (++connections_ > 1) ++summary_.reconnects;
    error_code ignored;
    socket_.set_option(tcp::no_delay(true), ignored);
    framer_ = hj212::Framer(hj212::kLargestSegmentBytes);
    // What the old connection took with it is sent again; the gate knows it by its number.
    for (auto& [qn, one] : under_way_) {
      one.last_sent = steady_clock::now();
      ++summary_.resent;
      to_write_.push_back(one.bytes);
    }
    read();
    next();
    write();
  }

  void lost() {
    if (done_ || !connected_) return;
    connected_ = false;
    ++epoch_;
    writing_ = false;
    interval_.cancel();
    waiting_interval_ = false;
    if (options_.wait_answers) to_write_.clear();
    error_code ignored;
    socket_.close(ignored);
    again();
  }

  /// Queues what may be sent now.
  void next() {
    while (connected_ && !waiting_interval_ && summary_.sent < summary_.packets &&
           (!options_.wait_answers || under_way_.size() < options_.window) && to_write_.size() < options_.window) {
      const std::uint64_t number = summary_.sent++;
      const std::uint64_t round = number / table_.size();
      const Moment& moment = moment_of(number);
      UnderWay one{
          number, hj212_time(shifted(moment, round)), packet(options_, moment, round, number), steady_clock::now(), {}};
      one.last_sent = one.first_sent;
      to_write_.push_back(one.bytes);
      if (options_.wait_answers) under_way_.emplace(qn_of(options_, moment, round, number), std::move(one));
      if (options_.interval_ms > 0) {
        waiting_interval_ = true;
        interval_.expires_after(milliseconds(options_.interval_ms));
        interval_.async_wait([this](error_code error) {
          if (error) return;
          waiting_interval_ = false;
          next();
          write();
        });
      }
    }
  }

  void write() {
    if (!connected_ || writing_) return;
    if (to_write_.empty()) {
      if (finished()) end();
      return;
    }
    writing_ = true;
    const std::size_t packets = std::min<std::size_t>(to_write_.size(), 64);
    batch_.clear();
    for (std::size_t i = 0; i < packets; ++i) batch_ += to_write_[i];
    asio::async_write(socket_, asio::buffer(batch_), [this, packets, epoch = epoch_](error_code error, std::size_t) {
      if (done_ || epoch != epoch_) return;
      if (error) return lost();
      writing_ = false;
      to_write_.erase(to_write_.begin(), to_write_.begin() + static_cast<std::ptrdiff_t>(packets));
      next();
      write();
    });
  }

  void read() {
    socket_.async_read_some(asio::buffer(buffer_), [this, epoch = epoch_](error_code error, std::size_t bytes) {
      if (done_ || epoch != epoch_) return;
      if (error) return lost();
      std::vector<hj212::Framer::Found> found;
      framer_.feed({buffer_.data(), bytes}, found);
      for (const auto& one : found)
        if (!one.fault) answered(one.segment);
      if (finished()) return end();
      read();
      next();
      write();
    });
  }

  void answered(const std::string& segment) {
    const auto answer = hj212::parse_segment(segment);
    if (!answer || answer->cn != "9014" || answer->mn != options_.mn) return;
    const auto found = under_way_.find(answer->qn);
    if (found == under_way_.end()) return;  // answered twice, as it was sent twice
    ++summary_.answered;
    latencies_.push_back(ms_since(found->second.first_sent));
    if (on_answer_) on_answer_(found->second.data_time, latencies_.back());
    under_way_.erase(found);
  }

  const Options& options_;
  const std::vector<Moment>& table_;
  const std::atomic<bool>& stop_;
  const std::function<void(const std::string&, double)>& on_answer_;
  const steady_clock::time_point begun_ = steady_clock::now();

  asio::io_context io_{1};
  tcp::resolver resolver_{io_};
  tcp::socket socket_{io_};
  asio::steady_timer timer_{io_}, retry_{io_}, interval_{io_};
  hj212::Framer framer_{hj212::kLargestSegmentBytes};
  std::array<char, 8192> buffer_;
  std::string batch_;
  std::deque<std::string> to_write_;
  std::map<std::string, UnderWay> under_way_;  // by QN
  std::vector<double> latencies_;
  Summary summary_;
  milliseconds pause_{100};
  std::uint64_t connections_ = 0;
  std::uint64_t epoch_ = 0;  // of the connection: completions of an older one are ignored
  bool connected_ = false, writing_ = false, waiting_interval_ = false, done_ = false;
};

}  // namespace

std::string packet(const Options& options, const Moment& moment, std::uint64_t round, std::uint64_t number) {
  std::string segment = "QN=" + qn_of(options, moment, round, number) + ";ST=" + options.st +
                        ";CN=2011;PW=" + options.password + ";MN=" + options.mn +
                        ";Flag=" + (options.wait_answers ? "5" : "4") +
                        ";CP=&&DataTime=" + hj212_time(shifted(moment, round));
  for (const auto& [code, text] : moment.readings) segment += ";" + code + "-Rtd=" + text + "," + code + "-Flag=N";
  return hj212::frame(segment + "&&");
}

Summary play(const Options& options, const std::vector<Moment>& table, const std::atomic<bool>& stop,
             const std::function<void(const std::string&, double)>& on_answer) {
  return Player(options, table, stop, on_answer).run();
}

}  // namespace thalweg::station
