// The cpu backend against the reference, op by op. ctest runs this once for each instruction set
// that KVASIR_ISA can force; what this CPU lacks is skipped.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <memory>
#include <string>
#include <vector>

#include "compute/backend.h"
#include "tests/parity/op_cases.h"

namespace kvasir::compute::parity {
namespace {

std::vector<float> RunOn(Backend& backend, const OpCase& op) {
  auto stream = backend.NewStream();
  EXPECT_TRUE(stream.ok());
  const PreparedOp prepared = op.prepare(backend, **stream);
  prepared.run();
  return prepared.output();
}

double Largest(const std::vector<float>& values) {
  double largest = 0;
  for (const float value : values) largest = std::max(largest, std::fabs(double{value}));
  return largest;
}

/// The benchmark's largest shapes would keep the reference busy for a second each.
std::vector<OpCase> ComparedCases() {
  std::vector<OpCase> cases = OpCases();
  std::erase_if(cases, [](const OpCase& op) { return op.flops > 1e8; });
  return cases;
}

class Parity : public testing::TestWithParam<OpCase> {
 protected:
  void ExpectAgreement(Precision precision, int threads, double tolerance) {
    auto reference = MakeBackend({.name = "reference"});
    auto cpu = MakeBackend({.name = "cpu", .precision = precision, .threads = threads});
    ASSERT_TRUE(reference.ok());
    if (!cpu.ok()) GTEST_SKIP() << cpu.status().message();
    const std::vector<float> expected = RunOn(**reference, GetParam());
    const std::vector<float> actual = RunOn(**cpu, GetParam());
    ASSERT_EQ(expected.size(), actual.size());
    const double allowed = tolerance * Largest(expected);
    for (std::size_t i = 0; i < expected.size(); ++i) {
      ASSERT_LE(std::fabs(double{expected[i]} - double{actual[i]}), allowed)
          << "number " << i << ": " << expected[i] << " against " << actual[i];
    }
  }
};

TEST_P(Parity, FastAgreesWithReference) {
  ExpectAgreement(Precision::kFast, 2, GetParam().tolerance);
}

TEST_P(Parity, F32AgreesWithReference) {
  ExpectAgreement(Precision::kF32, 1, std::min(GetParam().tolerance, 1e-5));
}

INSTANTIATE_TEST_SUITE_P(Ops, Parity, testing::ValuesIn(ComparedCases()),
                         [](const auto& op) { return op.param.name; });

}  // namespace
}  // namespace kvasir::compute::parity
