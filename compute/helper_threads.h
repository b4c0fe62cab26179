// The helper threads that parallel loops gather, per thread that calls them.
#ifndef KVASIR_COMPUTE_HELPER_THREADS_H_
#define KVASIR_COMPUTE_HELPER_THREADS_H_

namespace kvasir::compute {

/// Ends the calling thread's helper threads when it goes; a later loop gathers new ones (tens of
/// microseconds). While a process has more helpers than cores, even idle ones, the OpenMP runtime
/// lets them sleep between any two loops: a service whose connections each have had their loops
/// then wakes helpers hundreds of times a token, which made decoding more than three times slower.
/// Nothing happens within a parallel loop of the caller's own.
class HelpersEndHere {
 public:
  HelpersEndHere() = default;
  HelpersEndHere(const HelpersEndHere&) = delete;
  HelpersEndHere& operator=(const HelpersEndHere&) = delete;
  ~HelpersEndHere();
};

}  // namespace kvasir::compute

#endif  // KVASIR_COMPUTE_HELPER_THREADS_H_
