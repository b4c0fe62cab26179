#include "tests/parity/op_cases.h"

#include <array>
#include <cmath>
#include <memory>
#include <numeric>
#include <stdexcept>

#include "tests/parity/inputs.h"

namespace kvasir::compute::parity {
namespace {

template <typename T>
std::shared_ptr<T> Checked(Result<std::unique_ptr<T>> result) {
  if (!result.ok()) throw std::runtime_error(result.status().message());
  return std::move(result).value();
}

/// Each case keeps what it borrows alive in the functions' captures.
PreparedOp Keep(std::shared_ptr<Tensor> output, Stream& stream, std::function<void()> run) {
  return {std::move(run), [output, &stream] { return output->Read(stream); }};
}

std::shared_ptr<Tensor> MakeTensor(Backend& backend, Stream& stream, std::int64_t rows,
                                   std::int64_t cols, std::uint32_t seed, std::int64_t gap = 0) {
  return std::make_shared<Tensor>(backend, stream, rows, cols, seed, gap);
}

struct Product {
  TensorType type;
  std::int64_t rows;
  std::int64_t out;
  std::int64_t in;
  bool accumulate = false;
  bool timed = false;
};

/// 15-bit activations in blocks of 32: each of `in` products is off by at most max|x| / 32512 of
/// its weight; as these errors are random, 1e-4 of the largest output holds with room. Weights that
/// are rounded to 8 bits (float32, Q6_K) add 1/254 of a block's largest to each.
double ProductTolerance(TensorType type) {
  return type == TensorType::kF32 || type == TensorType::kQ6_K ? 1e-2 : 1e-4;
}

OpCase MatMulCase(const Product& p) {
  std::string name = "matmul_" + std::string(TensorTypeName(p.type)) + "_" +
                     std::to_string(p.rows) + "x" + std::to_string(p.in) + "x" +
                     std::to_string(p.out) + (p.accumulate ? "_add" : "");
  const auto prepare = [p](Backend& backend, Stream& stream) {
    auto file = RandomMatrix(p.type, p.out, p.in, 1);
    auto w = Checked(backend.LoadMatrix({&file->host, 1}));
    auto x = MakeTensor(backend, stream, p.rows, p.in, 2, 3);
    auto y = MakeTensor(backend, stream, p.rows, p.out, 3, 5);
    return Keep(y, stream, [=, &stream] { stream.MatMul(x->rows(), *w, y->rows(), p.accumulate); });
  };
  const auto products = static_cast<double>(p.rows * p.out * p.in);
  return {name,
          prepare,
          ProductTolerance(p.type),
          2 * products,
          static_cast<double>(p.out * RowBytes(p.type, p.in)),
          p.timed};
}

void AddMatMuls(std::vector<OpCase>* cases) {
  using enum TensorType;
  for (const TensorType type : {kF32, kQ8_0, kQ4_0, kQ4_1, kQ5_0, kQ5_1}) {
    cases->push_back(MatMulCase({type, 1, 17, 32}));
    cases->push_back(MatMulCase({type, 5, 33, 96, true}));
    cases->push_back(MatMulCase({type, 10, 20, 64}));  // Two rows are left over.
    cases->push_back(MatMulCase({type, 45, 33, 96, true}));
    cases->push_back(MatMulCase({type, 131, 50, 64}));
  }
  for (const TensorType type : {kQ4_K, kQ5_K, kQ6_K}) {
    cases->push_back(MatMulCase({type, 3, 40, 512}));
    cases->push_back(MatMulCase({type, 19, 16, 256, true}));
    cases->push_back(MatMulCase({type, 39, 20, 256}));
  }
  cases->push_back(MatMulCase({kF32, 7, 9, 45}));  // inputs that end inside a block
  for (const std::int64_t rows : {1, 4, 15, 512}) {
    cases->push_back(MatMulCase({kQ4_1, rows, 960, 576, false, true}));
    cases->push_back(MatMulCase({kQ4_1, rows, 576, 576, false, true}));
    cases->push_back(MatMulCase({kQ4_1, rows, 3072, 576, false, true}));
    cases->push_back(MatMulCase({kQ4_1, rows, 576, 1536, true, true}));
  }
  cases->push_back(MatMulCase({kQ8_0, 1, 49152, 576, false, true}));  // the default model's head
}

OpCase StackedMatMulCase() {
  const auto prepare = [](Backend& backend, Stream& stream) {
    auto a = RandomMatrix(TensorType::kQ4_1, 20, 64, 1);
    auto b = RandomMatrix(TensorType::kQ8_0, 13, 64, 2);
    const std::array<HostMatrix, 2> parts = {a->host, b->host};
    auto w = Checked(backend.LoadMatrix(parts));
    auto x = MakeTensor(backend, stream, 6, 64, 3);
    auto y = MakeTensor(backend, stream, 6, 33, 4);
    return Keep(y, stream, [=, &stream] { stream.MatMul(x->rows(), *w, y->rows(), false); });
  };
  return {"matmul_stacked_types", prepare, 1e-4};
}

/// A matrix that is float32 in every precision, as routers are.
OpCase ExactMatMulCase(std::int64_t rows, std::int64_t out, std::int64_t in, bool accumulate,
                       bool timed = false) {
  const auto prepare = [=](Backend& backend, Stream& stream) {
    auto file = RandomMatrix(TensorType::kF32, out, in, 1);
    auto w = Checked(backend.LoadMatrix({&file->host, 1}, Precision::kF32));
    auto x = MakeTensor(backend, stream, rows, in, 2, 3);
    auto y = MakeTensor(backend, stream, rows, out, 3, 5);
    return Keep(y, stream, [=, &stream] { stream.MatMul(x->rows(), *w, y->rows(), accumulate); });
  };
  return {"matmul_exact_" + std::to_string(rows) + "x" + std::to_string(in) + "x" +
              std::to_string(out) + (accumulate ? "_add" : ""),
          prepare,
          1e-5,
          2 * static_cast<double>(rows * out * in),
          static_cast<double>(out * in * 4),
          timed};
}

/// Low-rank changes of parts of a 4-bit matrix, stacked as a fused projection is.
struct LowRankPlan {
  std::int64_t rows;
  std::int64_t in;
  std::int64_t rank;
  std::vector<std::int64_t> parts;  ///< Outputs of each part.
  std::size_t skipped;              ///< This part is left as it is.
  bool accumulate = false;
  bool timed = false;
};

OpCase LowRankCase(const LowRankPlan& plan) {
  const std::int64_t out = std::accumulate(plan.parts.begin(), plan.parts.end(), std::int64_t{0});
  const auto prepare = [plan, out](Backend& backend, Stream& stream) {
    auto file = RandomMatrix(TensorType::kQ4_1, out, plan.in, 1);
    auto base = Checked(backend.LoadMatrix({&file->host, 1}));
    std::vector<std::shared_ptr<FileMatrix>> kept;
    std::vector<LowRankUpdate> updates;
    std::int64_t first_row = 0;
    for (std::size_t i = 0; i < plan.parts.size(); ++i) {
      if (i != plan.skipped) {
        const auto seed = static_cast<std::uint32_t>(10 + 2 * i);
        kept.push_back(RandomMatrix(TensorType::kF32, plan.rank, plan.in, seed));
        kept.push_back(RandomMatrix(TensorType::kF32, plan.parts[i], plan.rank, seed + 1));
        updates.push_back({first_row, kept[kept.size() - 2]->host, kept.back()->host});
      }
      first_row += plan.parts[i];
    }
    auto w = Checked(backend.AddLowRank(*base, updates));
    auto x = MakeTensor(backend, stream, plan.rows, plan.in, 2, 3);
    auto y = MakeTensor(backend, stream, plan.rows, out, 3, 5);
    return Keep(y, stream, [=, accumulate = plan.accumulate, &stream] {
      static_cast<void>(base);  // Outlives what stands beside it.
      stream.MatMul(x->rows(), *w, y->rows(), accumulate);
    });
  };
  return {"low_rank_" + std::to_string(plan.rank) + "_" + std::to_string(plan.rows) + "x" +
              std::to_string(plan.in) + "x" + std::to_string(out) + (plan.accumulate ? "_add" : ""),
          prepare,
          1e-5,  // The changes are the larger part of the output, and exact.
          2 * static_cast<double>(plan.rows * out * plan.in),
          static_cast<double>(out * RowBytes(TensorType::kQ4_1, plan.in)),
          plan.timed};
}

void AddExactMatMuls(std::vector<OpCase>* cases) {
  constexpr std::size_t kNone = 9;
  cases->push_back(ExactMatMulCase(1, 17, 5, false));
  cases->push_back(ExactMatMulCase(15, 64, 45, true));
  cases->push_back(ExactMatMulCase(131, 100, 64, false));
  cases->push_back(ExactMatMulCase(15, 576, 576, false, true));
  cases->push_back(LowRankCase({1, 64, 3, {20}, kNone}));
  cases->push_back(LowRankCase({7, 96, 4, {33, 10, 16}, 1, true}));
  cases->push_back(LowRankCase({131, 64, 16, {48, 16, 16}, kNone}));
  for (const std::int64_t rows : {15, 512}) {
    cases->push_back(LowRankCase({rows, 576, 32, {576, 192, 192}, kNone, false, true}));
    cases->push_back(LowRankCase({rows, 576, 32, {1536, 1536}, kNone, false, true}));
    cases->push_back(LowRankCase({rows, 1536, 32, {576}, kNone, true, true}));
  }
}

OpCase EmbedCase(TensorType type, double tolerance) {
  const auto prepare = [type](Backend& backend, Stream& stream) {
    auto file = RandomMatrix(type, 37, 256, 1);
    auto table = Checked(backend.LoadMatrix({&file->host, 1}));
    auto y = MakeTensor(backend, stream, 5, 256, 2, 7);
    return Keep(y, stream, [=, &stream] {
      const std::array<std::int32_t, 5> tokens = {36, 0, 16, 15, 0};
      stream.Embed(*table, tokens, y->rows());
    });
  };
  return {"embed_" + std::string(TensorTypeName(type)), prepare, tolerance};
}

OpCase RmsNormCase(std::int64_t rows, std::int64_t groups, std::int64_t n, bool timed) {
  const auto prepare = [=](Backend& backend, Stream& stream) {
    auto x = MakeTensor(backend, stream, rows, groups * n, 1, 3);
    auto weight = MakeTensor(backend, stream, 1, n, 2);
    auto y = MakeTensor(backend, stream, rows, groups * n, 3, 1);
    return Keep(y, stream,
                [=, &stream] { stream.RmsNorm(x->rows(), weight->rows(), 1e-5F, y->rows()); });
  };
  return {
      "rms_norm_" + std::to_string(rows) + "x" + std::to_string(groups) + "x" + std::to_string(n),
      prepare,
      2e-6,
      0,
      static_cast<double>(rows * groups * n) * 8,
      timed};
}

OpCase RopeCase(std::int64_t rows, std::int64_t heads, std::int64_t dim, std::int64_t rotary,
                bool interleaved, bool timed) {
  const auto prepare = [=](Backend& backend, Stream& stream) {
    auto x = MakeTensor(backend, stream, rows, heads * dim, 1, 2);
    auto frequencies = std::make_shared<std::vector<float>>();
    auto positions = std::make_shared<std::vector<std::int32_t>>();
    for (std::int64_t i = 0; i < rotary / 2; ++i) {
      frequencies->push_back(
          std::pow(1e4F, -2.0F * static_cast<float>(i) / static_cast<float>(rotary)));
    }
    for (std::int64_t t = 0; t < rows; ++t) positions->push_back(static_cast<int>(t * 37 + 3));
    return Keep(x, stream, [=, &stream] {
      stream.Rope(x->rows(), {dim, rotary, interleaved, *frequencies}, *positions);
    });
  };
  return {"rope_" + std::to_string(rows) + "x" + std::to_string(heads) + "x" + std::to_string(dim) +
              "_" + std::to_string(rotary) + (interleaved ? "_pairs" : "_halves"),
          prepare,
          2e-6,
          0,
          static_cast<double>(rows * heads * dim) * 8,
          timed};
}

OpCase SiluMulCase(std::int64_t rows, std::int64_t n, bool timed) {
  const auto prepare = [=](Backend& backend, Stream& stream) {
    auto gate = MakeTensor(backend, stream, rows, n, 1, 3);
    auto up = MakeTensor(backend, stream, rows, n, 2, 4);
    auto y = MakeTensor(backend, stream, rows, n, 3);
    return Keep(y, stream, [=, &stream] { stream.SiluMul(gate->rows(), up->rows(), y->rows()); });
  };
  return {"silu_mul_" + std::to_string(rows) + "x" + std::to_string(n),
          prepare,
          2e-6,
          0,
          static_cast<double>(rows * n) * 12,
          timed};
}

void AddSmallOps(std::vector<OpCase>* cases) {
  for (const auto& [rows, groups, n] :
       {std::array<std::int64_t, 3>{1, 1, 576}, {3, 5, 33}, {2, 4, 128}, {7, 1, 5}}) {
    cases->push_back(RmsNormCase(rows, groups, n, false));
  }
  cases->push_back(RmsNormCase(512, 1, 576, true));
  cases->push_back(RopeCase(3, 2, 16, 16, false, false));
  cases->push_back(RopeCase(3, 2, 64, 40, false, false));
  cases->push_back(RopeCase(5, 3, 22, 22, false, false));
  cases->push_back(RopeCase(3, 2, 22, 14, true, false));
  cases->push_back(RopeCase(512, 9, 64, 64, true, true));
  cases->push_back(RopeCase(512, 9, 64, 64, false, true));
  cases->push_back(SiluMulCase(1, 1, false));
  cases->push_back(SiluMulCase(3, 37, false));
  cases->push_back(SiluMulCase(512, 1536, true));

  cases->push_back({"add_bias", [](Backend& backend, Stream& stream) {
                      auto x = MakeTensor(backend, stream, 5, 37, 1, 2);
                      auto bias = MakeTensor(backend, stream, 1, 37, 2);
                      return Keep(x, stream,
                                  [=, &stream] { stream.AddBias(bias->rows(), x->rows()); });
                    }});
  cases->push_back({"unit", [](Backend& backend, Stream& stream) {
                      auto x = MakeTensor(backend, stream, 5, 3 * 27, 1, 2);
                      return Keep(x, stream, [=, &stream] { stream.Unit(x->rows(), 27); });
                    }});
  // The same float32 sums in the same order everywhere, hence no tolerance.
  cases->push_back({"mean_pool",
                    [](Backend& backend, Stream& stream) {
                      auto x = MakeTensor(backend, stream, 150, 53, 1, 1);
                      auto y = MakeTensor(backend, stream, 3, 53, 2, 2);
                      return Keep(y, stream, [=, &stream] {
                        const std::array<RowRun, 3> runs = {{{0, 64}, {64, 64}, {149, 1}}};
                        stream.MeanPool(x->rows(), runs, y->rows());
                      });
                    },
                    0});
}

struct AttentionPlan {
  std::string name;
  std::int64_t heads;
  std::int64_t kv_heads;
  std::int64_t dim;
  struct Sequence {
    std::int64_t queries;
    std::int64_t past;                 ///< Own rows before the queries.
    std::vector<std::int64_t> memory;  ///< Lengths of the blocks.
  };
  std::vector<Sequence> sequences;
  bool timed = false;
};

/// Keys and values side by side, as a fused projection leaves them.
KeyValues Split(const Rows& both, std::int64_t width) {
  return {both.Columns(0, width), both.Columns(width, width)};
}

struct AttentionInputs {
  std::vector<std::shared_ptr<Tensor>> tensors;
  std::vector<std::vector<KeyValues>> memory;
  std::vector<AttentionSequence> sequences;
};

PreparedOp PrepareAttention(const AttentionPlan& plan, Backend& backend, Stream& stream) {
  const std::int64_t width = plan.kv_heads * plan.dim;
  auto inputs = std::make_shared<AttentionInputs>();
  std::int64_t tokens = 0;
  std::uint32_t seed = 10;
  const auto key_values = [&](std::int64_t rows) {
    inputs->tensors.push_back(MakeTensor(backend, stream, rows, 2 * width, seed++, 4));
    return Split(inputs->tensors.back()->rows(), width);
  };
  inputs->memory.resize(plan.sequences.size());
  for (std::size_t s = 0; s < plan.sequences.size(); ++s) {
    const auto& sequence = plan.sequences[s];
    for (const std::int64_t rows : sequence.memory) inputs->memory[s].push_back(key_values(rows));
    inputs->sequences.push_back({tokens, sequence.queries, inputs->memory[s],
                                 key_values(sequence.past + sequence.queries)});
    tokens += sequence.queries;
  }
  auto q = MakeTensor(backend, stream, tokens, plan.heads * plan.dim, 1, 2);
  auto out = MakeTensor(backend, stream, tokens, plan.heads * plan.dim, 2, 6);
  const float scale = 1.0F / std::sqrt(static_cast<float>(plan.dim));
  return Keep(out, stream, [=, &stream] {
    stream.Attention(q->rows(), inputs->sequences, plan.heads, plan.kv_heads, plan.dim, scale,
                     out->rows());
  });
}

OpCase AttentionCase(const AttentionPlan& plan) {
  double products = 0;
  for (const auto& sequence : plan.sequences) {
    double keys = static_cast<double>(sequence.past) + static_cast<double>(sequence.queries) / 2;
    for (const std::int64_t length : sequence.memory) keys += static_cast<double>(length);
    products += keys * static_cast<double>(sequence.queries * plan.heads * plan.dim);
  }
  return {
      "attention_" + plan.name,
      [plan](Backend& backend, Stream& stream) { return PrepareAttention(plan, backend, stream); },
      1e-5,
      4 * products,
      0,
      plan.timed};
}

void AddAttentions(std::vector<OpCase>* cases) {
  cases->push_back(AttentionCase({"one_token", 2, 1, 8, {{1, 0, {}}}}));
  cases->push_back(AttentionCase({"decode", 9, 3, 64, {{1, 70, {3, 1, 8}}}}));
  cases->push_back(AttentionCase({"odd_width", 4, 2, 20, {{13, 0, {}}}}));
  cases->push_back(AttentionCase({"long_wide", 4, 4, 128, {{67, 66, {}}}}));
  cases->push_back(AttentionCase(
      {"packed", 9, 3, 64, {{1, 0, {}}, {64, 0, {}}, {65, 0, {3}}, {2, 5, {}}, {129, 0, {}}}}));
  cases->push_back(AttentionCase(
      {"memory", 8, 2, 16, {{15, 0, {3, 8, 1, 64, 7}}, {4, 20, {1}}, {40, 0, {3, 63}}}}));
  cases->push_back(AttentionCase({"segment_512", 9, 3, 64, {{512, 0, {}}}, true}));
  cases->push_back(AttentionCase({"decode_1000", 9, 3, 64, {{1, 1000, {}}}, true}));
}

}  // namespace

std::vector<OpCase> OpCases() {
  std::vector<OpCase> cases;
  AddMatMuls(&cases);
  AddExactMatMuls(&cases);
  cases.push_back(StackedMatMulCase());
  for (const TensorType type : {TensorType::kQ4_1, TensorType::kQ8_0, TensorType::kQ4_K}) {
    cases.push_back(EmbedCase(type, 1e-7));
  }
  cases.push_back(EmbedCase(TensorType::kF32, 5e-3));
  AddSmallOps(&cases);
  AddAttentions(&cases);
  return cases;
}

}  // namespace kvasir::compute::parity
