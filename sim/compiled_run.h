// What programs that run a verilated design for long share: ports as octets, files, the job.

#pragma once

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>

// Whatever integer or array Verilator chose for a port, its octets stand in the order of the bits.
template <class Port>
uint8_t* octets(Port& port) {
    return reinterpret_cast<uint8_t*>(&port);
}

class File {
public:
    File(const std::string& name, const char* mode) : file_{std::fopen(name.c_str(), mode)} {
        if (!file_) fail(name);
    }
    ~File() { std::fclose(file_); }
    File(const File&) = delete;
    File& operator=(const File&) = delete;
    void read(void* to, size_t size) {
        if (std::fread(to, 1, size, file_) != size) fail("the job");
    }
    void write(const void* from, size_t size) {
        if (std::fwrite(from, 1, size, file_) != size) fail("the trace");
    }
    template <class... Numbers>
    void numbers(Numbers... each) {
        const int64_t row[] = {static_cast<int64_t>(each)...};
        write(row, sizeof row);
    }

private:
    [[noreturn]] static void fail(const std::string& what) {
        std::perror(what.c_str());
        std::exit(2);
    }
    std::FILE* file_;
};

// A line of words and numbers for the one who started the program.
template <class... Numbers>
void tell(const char* name, Numbers... each) {
    std::fputs(name, stdout);
    const unsigned long long numbers[] = {static_cast<unsigned long long>(each)...};
    for (const unsigned long long number : numbers) std::printf(" %llu", number);
    std::putchar('\n');
    std::fflush(stdout);
}

// The exit code of a run that stopped moving, after a line `stalled CYCLE DONE`.
inline int stalled(uint64_t since, uint64_t done) {
    tell("stalled", since, done);
    return 3;
}

// Runs the job in the file that the command line names: its shape, then what `Run` reads.
template <class Shape, class Run>
int run_job(int count, char** arguments) {
    if (count != 2) {
        std::fprintf(stderr, "usage: %s JOB\n", arguments[0]);
        return 2;
    }
    File job{arguments[1], "rb"};
    Shape shape;
    job.read(&shape, sizeof shape);
    return Run{shape, job}();
}
