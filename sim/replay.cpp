// A verilated design as a library: plays recorded cycles to it, and finds the first that differs.

#include <cstdint>
#include <cstring>
#include <memory>

#include "Vtop.h"
#include "compiled_run.h"
#include "pins.h"
#include "verilated.h"
#if VM_COVERAGE
#include "verilated_cov.h"
#endif

namespace {

class Bench {
public:
    explicit Bench(uint64_t seed) {
        // What has no value before it is written must not look as if it had one.
        context_->randReset(2);
        context_->randSeed(static_cast<int>(seed));
        top_ = std::make_unique<Vtop>(context_.get());
        top_->clk = 0;
    }
    ~Bench() { top_->final(); }

    int64_t replay(int64_t cycles, const uint8_t* inputs, const uint8_t* expected,
                   const uint8_t* compared, uint8_t* actual) {
        for (int64_t now = 0; now < cycles; ++now) {
            top_->clk = 0;
            drive(inputs + now * kInputOctets);
            top_->eval();
            if (compared[now] && !agrees(expected + now * kOutputOctets)) {
                look(actual);
                return now;
            }
            top_->clk = 1;
            top_->eval();
        }
        return cycles;
    }

    Vtop& top() { return *top_; }
    VerilatedContext& context() { return *context_; }

private:
    void drive(const uint8_t* row) {
#define DRIVE(pin, size, offset) std::memcpy(octets(top_->pin), row + offset, size);
        INPUTS(DRIVE)
#undef DRIVE
    }

    bool agrees(const uint8_t* row) {
#define AGREES(pin, size, offset, guard) \
    && ((guard >= 0 && !row[guard]) || !std::memcmp(octets(top_->pin), row + offset, size))
        return true OUTPUTS(AGREES);
#undef AGREES
    }

    void look(uint8_t* row) {
#define LOOK(pin, size, offset, guard) std::memcpy(row + offset, octets(top_->pin), size);
        OUTPUTS(LOOK)
#undef LOOK
    }

    std::unique_ptr<VerilatedContext> context_ = std::make_unique<VerilatedContext>();
    std::unique_ptr<Vtop> top_;
};

}  // namespace

extern "C" {

void* bench_make(uint64_t seed) { return new Bench{seed}; }

void bench_end(void* bench) { delete static_cast<Bench*>(bench); }

void bench_select(void* bench, uint32_t mutant) {
#ifdef MUTANTS
    static_cast<Bench*>(bench)->top().MUTANTS = mutant;
#else
    (void)bench, (void)mutant;
#endif
}

void bench_coverage(void* bench, const char* path) {
#if VM_COVERAGE
    static_cast<Bench*>(bench)->context().coveragep()->write(path);
#else
    (void)bench, (void)path;
#endif
}

int64_t bench_replay(void* bench, int64_t cycles, const uint8_t* inputs, const uint8_t* expected,
                     const uint8_t* compared, uint8_t* actual) {
    return static_cast<Bench*>(bench)->replay(cycles, inputs, expected, compared, actual);
}
}
