// Runs a verilated OMAP controller at full rate beside a host memory, and writes down its trace.
//
// usage: trace JOB, with the files of the job in the current folder; see omap_trace.py

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <deque>
#include <memory>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "Vtop.h"
#include "compiled_run.h"
#include "memories.h"
#include "verilated.h"

namespace {

template <class Port>
void clear(Port& port) {
    std::fill_n(octets(port), sizeof port, 0);
}

void put_bits(uint8_t* to, size_t at, const uint8_t* from, size_t bits) {
    const unsigned shift = at % 8;
    for (to += at / 8; bits; ++to, ++from) {
        const size_t here = std::min<size_t>(bits, 8);
        const unsigned octet = *from & ((1u << here) - 1);
        to[0] |= octet << shift;
        if (shift + here > 8) to[1] |= octet >> (8 - shift);
        bits -= here;
    }
}

void get_bits(uint8_t* to, const uint8_t* from, size_t at, size_t bits) {
    const unsigned shift = at % 8;
    for (from += at / 8; bits; ++to, ++from) {
        const size_t here = std::min<size_t>(bits, 8);
        unsigned octet = from[0] >> shift;
        if (shift + here > 8) octet |= unsigned{from[1]} << (8 - shift);
        *to = octet & ((1u << here) - 1);
        bits -= here;
    }
}

template <class Port>
uint64_t number(Port& port, size_t at, size_t bits) {
    uint64_t value = 0;
    get_bits(reinterpret_cast<uint8_t*>(&value), octets(port), at, bits);
    return value;
}

// SplitMix64; word k of a stream is a function of k alone, so that NumPy gives the same words.
class Words {
public:
    Words(uint64_t seed, uint64_t stream) : state_{mix(seed + mix(stream))} {}
    uint64_t at(uint64_t k) const { return mix(state_ + (k + 1) * 0x9e3779b97f4a7c15u); }
    uint64_t next() { return at(taken_++); }

private:
    static uint64_t mix(uint64_t z) {
        z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
        z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
        return z ^ (z >> 31);
    }
    uint64_t state_, taken_ = 0;
};

enum Stream : uint64_t { kDraws = 1, kNoise, kJitter, kTrusted };

// Everything in the file of a job before its commands, in this order.
struct Shape {
    uint64_t seed, commands, latency, jitter, key_width, value_width, random_bits, log2_pages,
        beat_width, beats, op_bits, status_bits, patience;
};

// Host memory: reads are answered in order, after the writes to the same page asked for before.
class Host {
public:
    explicit Host(const Shape& shape)
        : shape_{shape}, size_{shape.beats * shape.beat_width / 8},
          memory_(size_t{1} << shape.log2_pages), noise_{shape.seed, kNoise},
          jitter_{shape.seed, kJitter} {}

    void request(uint64_t page, bool write, uint64_t now) {
        if (write) {
            writes_.push_back(page);
            finish_writes(now);
            return;
        }
        uint64_t needs = written_;
        for (size_t at = 0; at < writes_.size(); ++at)
            if (writes_[at] == page) needs = written_ + at + 1;
        const uint64_t wait = shape_.latency + jitter_.next() % (shape_.jitter + 1);
        reads_.push_back({page, now + wait, wait, needs});
    }
    void take(const uint8_t* beat, uint64_t now) {
        incoming_.insert(incoming_.end(), beat, beat + shape_.beat_width / 8);
        finish_writes(now);
    }
    // The beat that stands on rdata in this cycle, if any.
    const uint8_t* beat(uint64_t now) {
        if (reads_.empty()) return nullptr;
        const Read& read = reads_.front();
        if (now < read.due || written_ < read.needs) return nullptr;
        return page(read.page) + row_ * shape_.beat_width / 8;
    }
    bool last() const { return row_ == shape_.beats - 1; }
    void given() {
        row_ = last() ? 0 : row_ + 1;
        if (!row_) reads_.pop_front();
    }

private:
    struct Read {
        uint64_t page, due, wait, needs;
    };
    void finish_writes(uint64_t now) {
        while (!writes_.empty() && incoming_.size() >= size_) {
            std::copy_n(incoming_.begin(), size_, page(writes_.front()));
            incoming_.erase(incoming_.begin(), incoming_.begin() + size_);
            writes_.pop_front();
            ++written_;
            for (Read& read : reads_)
                if (read.needs == written_) read.due = std::max(read.due, now + read.wait);
        }
    }
    uint8_t* page(uint64_t number) {
        auto& octets = memory_[number];
        if (!octets) {
            octets.reset(new uint8_t[size_]);
            for (size_t at = 0; at < size_; at += 4) {
                const uint64_t word = noise_.at((number * size_ + at) / 4);
                std::copy_n(reinterpret_cast<const uint8_t*>(&word), 4, &octets[at]);
            }
        }
        return octets.get();
    }

    const Shape& shape_;
    const size_t size_;
    std::vector<std::unique_ptr<uint8_t[]>> memory_;
    Words noise_, jitter_;
    std::deque<Read> reads_;
    std::deque<uint64_t> writes_;
    std::deque<uint8_t> incoming_;
    uint64_t written_ = 0, row_ = 0;
};

// A trusted memory behind a port of the design; its words are noise at first.
template <class Word>
class Memory {
public:
    Memory(uint64_t seed, size_t words, size_t bits) : words_(words) {
        Words noise{seed, kTrusted};
        for (Word& word : words_) {
            clear(word);
            for (size_t at = 0; at < bits; at += 64) {
                const uint64_t more = noise.next();
                put_bits(octets(word), at, reinterpret_cast<const uint8_t*>(&more),
                         std::min<size_t>(64, bits - at));
            }
        }
    }
    void ask(uint64_t now, bool enable, bool write, uint64_t address, const Word& data) {
        if (!enable) return;
        if (address >= words_.size()) {
            std::fprintf(stderr, "a trusted memory has no word %llu\n",
                         static_cast<unsigned long long>(address));
            std::exit(2);
        }
        if (write)
            words_[address] = data;
        else
            due_.push_back({now + TRUSTED_LATENCY, words_[address]});
    }
    void answer(uint64_t now, Word& q) {
        if (due_.empty() || due_.front().first > now) return;
        q = due_.front().second;
        due_.pop_front();
    }

private:
    std::vector<Word> words_;
    std::deque<std::pair<uint64_t, Word>> due_;
};

class Run {
public:
    Run(Shape shape, File& job) : shape_{shape}, host_{shape_}, draws_{shape.seed, kDraws} {
        context_.randReset(2);
        context_.randSeed(static_cast<int>(shape.seed % 0x7fffffff) + 1);
        top_ = std::make_unique<Vtop>(&context_);
        const auto column = [&](std::vector<uint8_t>& to, size_t octets) {
            to.resize(shape.commands * octets);
            job.read(to.data(), to.size());
        };
        column(ops_, 1);
        column(keys_, key_octets_ = (shape.key_width + 7) / 8);
        column(values_, value_octets_ = (shape.value_width + 7) / 8);
        value_.resize(value_octets_);
    }

    int operator()() {
        reset();
        draw();
        offer();
        const uint64_t step = std::max<uint64_t>(1, shape_.commands / 200);
        while (responded_ < shape_.commands || now_ - active_ < kQuiet) {
            const uint64_t before = responded_;
            cycle();
            if (responded_ != before && responded_ % step == 0) tell("done", responded_);
            if (now_ - answered_ > shape_.patience) {
                if (responded_ == shape_.commands) break;  // the rest is noise of a broken design
                return stalled(answered_, responded_);
            }
        }
        tell("cycles", active_ + 1);
        tell("peak", peak_);
        return 0;
    }

private:
    static constexpr uint64_t kQuiet = 64;

    void edge() {
        top_->clk = 1;
        top_->eval();
        top_->clk = 0;
    }
    void reset() {
        top_->clk = 0;
        top_->rst = 1;
        top_->init = 0;
        top_->drain = 0;
        top_->s_axis_cmd_tvalid = 0;
        top_->s_axis_rdata_tvalid = 0;
        top_->m_axis_req_tready = 1;
        top_->m_axis_wdata_tready = 1;
        top_->m_axis_rsp_tready = 1;
        for (int count = 0; count < 4; ++count) {
            top_->eval();
            edge();
        }
        top_->rst = 0;
    }
    void draw() {
#ifdef RANDOM
        clear(top_->s_axis_random_tdata);
        for (size_t at = 0; at < shape_.random_bits; at += 64) {
            const uint64_t word = draws_.next();
            put_bits(octets(top_->s_axis_random_tdata), at,
                     reinterpret_cast<const uint8_t*>(&word),
                     std::min<size_t>(64, shape_.random_bits - at));
        }
        top_->s_axis_random_tvalid = 1;
#endif
    }
    void offer() {
        top_->s_axis_cmd_tvalid = accepted_ < shape_.commands;
        if (!top_->s_axis_cmd_tvalid) return;
        clear(top_->s_axis_cmd_tdata);
        uint8_t* to = octets(top_->s_axis_cmd_tdata);
        put_bits(to, 0, &ops_[accepted_], shape_.op_bits);
        put_bits(to, shape_.op_bits, &keys_[accepted_ * key_octets_], shape_.key_width);
        put_bits(to, shape_.op_bits + shape_.key_width, &values_[accepted_ * value_octets_],
                 shape_.value_width);
    }
    void cycle() {
        top_->init = now_ == 0;
        const uint8_t* beat = host_.beat(now_);
        top_->s_axis_rdata_tvalid = beat != nullptr;
        top_->s_axis_rdata_tlast = beat && host_.last();
        if (beat) std::copy_n(beat, shape_.beat_width / 8, octets(top_->s_axis_rdata_tdata));
#define MEMORY(name, words, bits) name##_.answer(now_, top_->name##_q);
        MEMORIES
#undef MEMORY
        top_->eval();
#define MEMORY(name, words, bits)                                                         \
    name##_.ask(now_, top_->name##_enable, top_->name##_write, top_->name##_address,      \
                top_->name##_data);
        MEMORIES
#undef MEMORY

        peak_ = std::max(peak_, number(top_->pending, 0, 8 * sizeof top_->pending));
        const bool accepts = top_->s_axis_cmd_tvalid && top_->s_axis_cmd_tready;
        const bool given = beat && top_->s_axis_rdata_tready;
        bool drawn = false;
#ifdef RANDOM
        drawn = top_->s_axis_random_tready;
#endif
        if (given) host_.given();
        if (top_->m_axis_req_tvalid) {
            const uint64_t page = number(top_->m_axis_req_tdata, 0, shape_.log2_pages);
            const bool write = number(top_->m_axis_req_tdata, shape_.log2_pages, 1);
            requests_.numbers(now_, page, write);
            host_.request(page, write, now_);
        }
        if (top_->m_axis_wdata_tvalid) host_.take(octets(top_->m_axis_wdata_tdata), now_);
        if (top_->m_axis_rsp_tvalid && responded_ < shape_.commands) respond();
        if (accepts || given || drawn || top_->m_axis_req_tvalid || top_->m_axis_wdata_tvalid
            || top_->m_axis_rsp_tvalid)
            active_ = now_;
        edge();
        if (drawn) draw();
        if (accepts) {
            accepts_.numbers(now_);
            ++accepted_;
            offer();
        }
        ++now_;
    }
    void respond() {
        auto& port = top_->m_axis_rsp_tdata;
        responses_.numbers(now_, number(port, 0, shape_.status_bits),
                           number(port, shape_.status_bits, 1));
        get_bits(value_.data(), octets(port), shape_.status_bits + 1, shape_.value_width);
        found_.write(value_.data(), value_octets_);
        counters_.numbers(top_->pending, top_->live, top_->stash);
        answered_ = now_;
        ++responded_;
    }

    const Shape shape_;
    Host host_;
    Words draws_;
    VerilatedContext context_;
    std::unique_ptr<Vtop> top_;
#define MEMORY(name, words, bits) \
    Memory<std::remove_reference_t<decltype(Vtop::name##_q)>> name##_{shape_.seed, words, bits};
    MEMORIES
#undef MEMORY
    std::vector<uint8_t> ops_, keys_, values_, value_;
    size_t key_octets_ = 0, value_octets_ = 0;
    File requests_{"requests", "wb"}, responses_{"responses", "wb"}, found_{"values", "wb"},
        accepts_{"accepted", "wb"}, counters_{"counters", "wb"};
    uint64_t now_ = 0, active_ = 0, answered_ = 0, accepted_ = 0, responded_ = 0, peak_ = 0;
};

}  // namespace

int main(int count, char** arguments) {
    return run_job<Shape, Run>(count, arguments);
}
