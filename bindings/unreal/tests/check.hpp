// A few lines of harness: a test that fails says where, and the program says how many ran.
#pragma once

#include <cstdio>
#include <cstdlib>
#include <vector>

struct Test {
    const char* name;
    void (*run)();
    static std::vector<Test>& All() {
        static std::vector<Test> all;
        return all;
    }
    Test(const char* name_, void (*run_)()) : name(name_), run(run_) { All().push_back(*this); }
};

#define TEST(name)                               \
    static void name();                          \
    static const Test test_##name(#name, &name); \
    static void name()

#define EXPECT(condition)                                                           \
    do {                                                                            \
        if (!(condition)) {                                                         \
            std::fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #condition);    \
            std::abort();                                                           \
        }                                                                           \
    } while (false)

#define EXPECT_EQ(left, right)                                                                                      \
    do {                                                                                                            \
        const auto left_ = (left);                                                                                  \
        const auto right_ = (right);                                                                                \
        if (!(left_ == right_)) {                                                                                   \
            std::fprintf(stderr, "%s:%d: %s is %.9g, not %.9g\n", __FILE__, __LINE__, #left, double(left_), double(right_)); \
            std::abort();                                                                                           \
        }                                                                                                           \
    } while (false)

inline int RunAll() {
    for (const Test& test : Test::All()) {
        std::printf("%s\n", test.name);
        std::fflush(stdout);
        test.run();
    }
    std::printf("%zu passed\n", Test::All().size());
    return 0;
}
