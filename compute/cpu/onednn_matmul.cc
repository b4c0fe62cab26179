#include "compute/cpu/onednn_matmul.h"

#include <omp.h>

#include <algorithm>
#include <bit>
#include <cstddef>
#include <dnnl.hpp>
#include <map>
#include <mutex>
#include <new>
#include <shared_mutex>
#include <string>
#include <tuple>
#include <utility>

#include "compute/cpu/growing_array.h"

namespace kvasir::compute::cpu {
namespace {

using dnnl::memory;

/// 512 rows of x and y stay in a core's second-level cache for every width that models have; longer
/// runs were no faster.
constexpr std::int64_t kLongestRun = 512;

const dnnl::engine& Engine() {
  static const dnnl::engine engine(dnnl::engine::kind::cpu, 0);
  return engine;
}

dnnl::stream& ThreadStream() {
  thread_local dnnl::stream stream(Engine());
  return stream;
}

/// Sets how many threads oneDNN takes while it lives.
class ThreadCount {
 public:
  explicit ThreadCount(int threads) : before_(omp_get_max_threads()) {
    omp_set_num_threads(threads);
  }
  ~ThreadCount() { omp_set_num_threads(before_); }
  ThreadCount(const ThreadCount&) = delete;
  ThreadCount& operator=(const ThreadCount&) = delete;

 private:
  int before_;
};

memory::desc RowsDesc(std::int64_t rows, std::int64_t cols) {
  return {{rows, cols}, memory::data_type::f32, memory::dims{cols, 1}};
}

/// {rows, accumulate, threads}
using RunKey = std::tuple<std::int64_t, bool, int>;

/// Rows without gaps: oneDNN 2.6 has fast code for nothing else and falls back to a loop hundreds
/// of times slower.
Rows Packed(ConstRows from, GrowingArray<float>* room) {
  if (!room->Reserve(from.rows * from.cols)) throw std::bad_alloc();
  return {room->data(), from.rows, from.cols, from.cols};
}

void CopyRows(ConstRows from, Rows to) {
  for (std::int64_t row = 0; row < from.rows; ++row) {
    std::copy_n(from.data + row * from.stride, from.cols, to.data + row * to.stride);
  }
}

class PackedWeights final : public OneDnnWeights {
 public:
  explicit PackedWeights(ConstRows w) : out_(w.rows), in_(w.cols) {
    const memory::desc any({in_, out_}, memory::data_type::f32, memory::format_tag::any);
    const auto favourite = Describe({kLongestRun, false, 1}, any);
    packed_ = memory(favourite.weights_desc(), Engine());
    // W is [out, in] in memory: as [in, out] it is column-major.
    const memory::desc plain({in_, out_}, memory::data_type::f32, memory::dims{1, w.stride});
    memory from(plain, Engine(), const_cast<float*>(w.data));
    dnnl::reorder(from, packed_).execute(ThreadStream(), from, packed_);
    ThreadStream().wait();
  }

  Status Multiply(ConstRows x, Rows y, bool accumulate, int threads) const override try {
    const ThreadCount count(threads);
    thread_local GrowingArray<float> x_room;
    thread_local GrowingArray<float> y_room;
    while (x.rows > 0) {
      const auto run = std::min<std::int64_t>(
          kLongestRun,
          static_cast<std::int64_t>(std::bit_floor(static_cast<std::uint64_t>(x.rows))));
      ConstRows from = x.Slice(0, run);
      if (x.stride != x.cols) {
        const Rows packed = Packed(from, &x_room);
        CopyRows(from, packed);
        from = packed;
      }
      const Rows to = y.Slice(0, run);
      if (y.stride != y.cols) {
        const Rows packed = Packed(to, &y_room);
        if (accumulate) CopyRows(to, packed);
        RunOnce(from, packed, accumulate, threads);
        CopyRows(packed, to);
      } else {
        RunOnce(from, to, accumulate, threads);
      }
      x = x.Slice(run, x.rows - run);
      y = y.Slice(run, y.rows - run);
    }
    return Status::Ok();
  } catch (const dnnl::error& error) {
    return Internal(std::string("oneDNN matrix product failed: ") + error.what());
  } catch (const std::bad_alloc&) {
    return Unavailable("out of memory in a matrix product");
  }

 private:
  dnnl::matmul::primitive_desc Describe(const RunKey& key, const memory::desc& weights) const {
    const auto& [rows, accumulate, threads] = key;
    dnnl::primitive_attr attributes;
    // The library's own scratchpad belongs to the thread that made the primitive: another one that
    // runs it writes past the end of a smaller one (seen as NaN in a router query).
    attributes.set_scratchpad_mode(dnnl::scratchpad_mode::user);
    if (accumulate) {
      dnnl::post_ops sum;
      sum.append_sum(1.0F);
      attributes.set_post_ops(sum);
    }
    return {{RowsDesc(rows, in_), weights, RowsDesc(rows, out_)}, attributes, Engine()};
  }

  struct Run {
    dnnl::matmul primitive;
    memory::desc x;
    memory::desc y;
    memory::desc scratchpad;
  };

  const Run& Find(const RunKey& key) const {
    {
      const std::shared_lock lock(mutex_);
      if (const auto found = runs_.find(key); found != runs_.end()) return found->second;
    }
    const std::unique_lock lock(mutex_);
    const auto found = runs_.find(key);
    if (found != runs_.end()) return found->second;
    const auto description = Describe(key, packed_.get_desc());
    return runs_
        .emplace(key, Run{dnnl::matmul(description), description.src_desc(), description.dst_desc(),
                          description.scratchpad_desc()})
        .first->second;
  }

  void RunOnce(ConstRows x, Rows y, bool accumulate, int threads) const {
    const Run& run = Find({x.rows, accumulate, threads});
    thread_local GrowingArray<std::byte> scratchpad;
    if (!scratchpad.Reserve(static_cast<std::int64_t>(run.scratchpad.get_size()))) {
      throw std::bad_alloc();
    }
    run.primitive.execute(
        ThreadStream(),
        {{DNNL_ARG_SRC, memory(run.x, Engine(), const_cast<float*>(x.data))},
         {DNNL_ARG_WEIGHTS, packed_},
         {DNNL_ARG_DST, memory(run.y, Engine(), y.data)},
         {DNNL_ARG_SCRATCHPAD, memory(run.scratchpad, Engine(), scratchpad.data())}});
    ThreadStream().wait();
  }

  std::int64_t out_;
  std::int64_t in_;
  memory packed_;
  mutable std::shared_mutex mutex_;
  mutable std::map<RunKey, Run>
      runs_;  ///< Nodes never move, so that a reference may outlive the lock.
};

}  // namespace

void CapOneDnn(Isa isa) {
  static std::once_flag once;
  std::call_once(once, [isa] {
    constexpr dnnl::cpu_isa kCaps[] = {
        dnnl::cpu_isa::sse41, dnnl::cpu_isa::avx2, dnnl::cpu_isa::avx512_core_vnni,
        dnnl::cpu_isa::avx512_core_bf16, dnnl::cpu_isa::avx512_core_amx};
    // Fails only after oneDNN was used, or when it was built without this; it is then merely
    // faster.
    static_cast<void>(dnnl::set_max_cpu_isa(kCaps[static_cast<int>(isa)]));
  });
}

Result<std::unique_ptr<OneDnnWeights>> OneDnnWeights::Make(ConstRows w) try {
  return std::unique_ptr<OneDnnWeights>(new PackedWeights(w));
} catch (const dnnl::error& error) {
  return Unavailable("oneDNN cannot hold a weight matrix [" + std::to_string(w.rows) + ", " +
                     std::to_string(w.cols) + "]: " + error.what());
}

}  // namespace kvasir::compute::cpu
