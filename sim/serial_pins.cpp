// Runs a verilated design at the two pins of its serial line, and nothing else.
//
// usage: trace DIVISOR SEED, commands on standard input and bytes on standard output; see
// serial_pins.py

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <deque>
#include <memory>
#include <vector>

#include "Vtop.h"
#include "verilated.h"

namespace {

class Line {
public:
    Line(VerilatedContext& context, uint32_t divisor)
        : top_{std::make_unique<Vtop>(&context)}, divisor_{divisor} {
        top_->uart_rx = 1;
        top_->clk = 0;
        top_->eval();
    }
    void send(const std::vector<uint8_t>& bytes) {
        for (const uint8_t byte : bytes) {
            // a stop bit above, a start bit below
            const unsigned frame = (1u << 9) | (unsigned{byte} << 1);
            for (unsigned bit = 0; bit < 10; ++bit) to_send_.push_back(frame >> bit & 1);
        }
    }
    // Until `wanted` bytes are there, or `cycles` cycles after the last one, or everything sent.
    std::vector<uint8_t> receive(size_t wanted, uint64_t cycles) {
        while (!to_send_.empty() || in_bit_) cycle();
        size_t before = received_.size();
        for (uint64_t at = 0; at < cycles && received_.size() < wanted; ++at) {
            cycle();
            if (received_.size() > before) at = 0;
            before = received_.size();
        }
        const size_t count = wanted < received_.size() ? wanted : received_.size();
        std::vector<uint8_t> bytes(received_.begin(), received_.begin() + count);
        received_.erase(received_.begin(), received_.begin() + count);
        return bytes;
    }
    void wait(uint64_t cycles) {
        while (!to_send_.empty() || in_bit_) cycle();
        for (uint64_t at = 0; at < cycles; ++at) cycle();
    }

private:
    void cycle() {
        if (!in_bit_) {
            top_->uart_rx = to_send_.empty() ? 1 : to_send_.front();
            if (!to_send_.empty()) {
                to_send_.pop_front();
                in_bit_ = divisor_;
            }
        }
        if (in_bit_) --in_bit_;
        top_->clk = 1;
        top_->eval();
        top_->clk = 0;
        top_->eval();
        sample(top_->uart_tx);
    }
    void sample(bool level) {
        if (!left_) {
            if (level) return;
            left_ = 10;
            until_ = divisor_ / 2;
            byte_ = 0;
        }
        if (until_--) return;
        until_ = divisor_ - 1;
        --left_;
        if (left_ == 0) {
            if (level) received_.push_back(static_cast<uint8_t>(byte_));
        } else if (left_ < 9) {
            byte_ = byte_ >> 1 | unsigned{level} << 7;
        } else if (level) {
            left_ = 0;  // no start bit after all
        }
    }

    std::unique_ptr<Vtop> top_;
    const uint32_t divisor_;
    std::deque<bool> to_send_;
    std::deque<uint8_t> received_;
    uint32_t in_bit_ = 0, until_ = 0, left_ = 0;
    unsigned byte_ = 0;
};

void answer(const std::vector<uint8_t>& bytes) {
    const uint32_t count = static_cast<uint32_t>(bytes.size());
    std::fwrite(&count, sizeof count, 1, stdout);
    std::fwrite(bytes.data(), 1, bytes.size(), stdout);
    std::fflush(stdout);
}

}  // namespace

int main(int count, char** arguments) {
    if (count != 3) {
        std::fprintf(stderr, "usage: %s DIVISOR SEED\n", arguments[0]);
        return 2;
    }
    VerilatedContext context;
    context.randReset(2);
    context.randSeed(std::atoi(arguments[2]));
    Line line{context, static_cast<uint32_t>(std::strtoul(arguments[1], nullptr, 10))};
    struct Command {
        uint32_t what, bytes;
        uint64_t cycles;
    } command;
    while (std::fread(&command, sizeof command, 1, stdin) == 1) {
        if (command.what == 'W') {
            std::vector<uint8_t> bytes(command.bytes);
            if (std::fread(bytes.data(), 1, bytes.size(), stdin) != bytes.size()) return 2;
            line.send(bytes);
        } else if (command.what == 'R') {
            answer(line.receive(command.bytes, command.cycles));
        } else {
            line.wait(command.cycles);
            answer({});
        }
    }
}
