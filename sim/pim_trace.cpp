// Plays commands and data to a verilated PIM channel, and writes down what comes out, and when.
//
// usage: trace JOB, with the files of the job in the current folder; see pim_trace.py

#include <algorithm>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "Vtop.h"
#include "compiled_run.h"
#include "verilated.h"

namespace {

// Everything in the file of a job before its lists, in this order.
struct Shape {
    uint64_t commands, command_octets, beats, beat_octets, patience;
};

// The beats of an output stream: their cycles in one file, their octets in another.
class Sink {
public:
    explicit Sink(const std::string& name)
        : cycles_{name + ".cycles", "wb"}, octets_{name + ".octets", "wb"} {}
    template <class Port>
    void take(uint64_t now, Port& port, size_t size) {
        cycles_.write(&now, sizeof now);
        octets_.write(octets(port), size);
    }

private:
    File cycles_, octets_;
};

class Run {
public:
    Run(Shape shape, File& job)
        : shape_{shape}, at_(shape.commands), commands_(shape.commands * shape.command_octets),
          beats_(shape.beats * shape.beat_octets), accepted_(shape.commands) {
        job.read(at_.data(), at_.size() * sizeof at_[0]);
        job.read(commands_.data(), commands_.size());
        job.read(beats_.data(), beats_.size());
    }

    int operator()() {
        reset();
        const uint64_t step = std::max<uint64_t>(1, shape_.commands / 200);
        while (command_ < shape_.commands || now_ - active_ < kQuiet) {
            const uint64_t before = command_;
            cycle();
            if (command_ != before && command_ % step == 0) tell("done", command_);
            if (now_ - active_ > shape_.patience) return stalled(active_, command_);
        }
        File{"accepted", "wb"}.write(accepted_.data(), accepted_.size() * sizeof accepted_[0]);
        tell("cycles", active_ + 1);
        tell("beats", beat_);
#ifdef COUNTS
        tell("products", top_->products);
        tell("additions", top_->additions);
        tell("columns", top_->columns);
#endif
        return 0;
    }

private:
    static constexpr uint64_t kQuiet = 256;

    void edge() {
        top_->clk = 1;
        top_->eval();
        top_->clk = 0;
    }
    void reset() {
        top_->clk = 0;
        top_->rst = 1;
        top_->s_axis_cmd_tvalid = 0;
        top_->s_axis_wdata_tvalid = 0;
        top_->m_axis_rdata_tready = 1;
        top_->m_axis_result_tready = 1;
        top_->m_axis_status_tready = 1;
        for (int count = 0; count < 4; ++count) {
            top_->eval();
            edge();
        }
        top_->rst = 0;
    }
    void cycle() {
        const bool offers = command_ < shape_.commands && now_ >= at_[command_];
        const bool has_data = beat_ < shape_.beats;
        top_->s_axis_cmd_tvalid = offers;
        if (offers)
            std::copy_n(&commands_[command_ * shape_.command_octets], shape_.command_octets,
                        octets(top_->s_axis_cmd_tdata));
        top_->s_axis_wdata_tvalid = has_data;
        if (has_data)
            std::copy_n(&beats_[beat_ * shape_.beat_octets], shape_.beat_octets,
                        octets(top_->s_axis_wdata_tdata));
        top_->eval();
        const bool accepts = offers && top_->s_axis_cmd_tready;
        const bool takes = has_data && top_->s_axis_wdata_tready;
        if (accepts) accepted_[command_++] = now_;
        if (takes) ++beat_;
        if (top_->m_axis_rdata_tvalid) rdata_.take(now_, top_->m_axis_rdata_tdata, RDATA_OCTETS);
        if (top_->m_axis_result_tvalid)
            result_.take(now_, top_->m_axis_result_tdata, RESULT_OCTETS);
        if (top_->m_axis_status_tvalid)
            status_.take(now_, top_->m_axis_status_tdata, STATUS_OCTETS);
        if (accepts || takes || top_->m_axis_rdata_tvalid || top_->m_axis_result_tvalid
            || top_->m_axis_status_tvalid || top_->busy)
            active_ = now_;
        edge();
        ++now_;
    }

    const Shape shape_;
    VerilatedContext context_;
    std::unique_ptr<Vtop> top_ = std::make_unique<Vtop>(&context_);
    std::vector<uint64_t> at_;
    std::vector<uint8_t> commands_, beats_;
    std::vector<uint64_t> accepted_;
    Sink rdata_{"rdata"}, result_{"result"}, status_{"status"};
    uint64_t now_ = 0, active_ = 0, command_ = 0, beat_ = 0;
};

}  // namespace

int main(int count, char** arguments) {
    return run_job<Shape, Run>(count, arguments);
}
