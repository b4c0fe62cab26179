// The last line before the caller: exceptions become Status.
#ifndef SDK_SRC_GUARD_H_
#define SDK_SRC_GUARD_H_

#include <cxxabi.h>

#include <exception>
#include <new>
#include <string>
#include <type_traits>

#include "compute/helper_threads.h"
#include "kvasir/status.h"

namespace kvasir::sdk {

/// Runs `body`, which gives a Status or a Result. Memory that ran out is kUnavailable; anything
/// else that was thrown (by a callback of the caller's, say) is kInternal with its words. A thread
/// that is being cancelled goes on unwinding. Helper threads do not outlive the call.
template <typename Body>
auto Guarded(Body&& body) -> std::invoke_result_t<Body> {
  const compute::HelpersEndHere helpers;
  try {
    return body();
  } catch (const std::bad_alloc&) {
    return Unavailable("out of memory");
  } catch (const std::exception& error) {
    return Internal(std::string("unexpected exception: ") + error.what());
  } catch (abi::__forced_unwind&) {
    throw;
  } catch (...) {
    return Internal("unexpected exception of an unknown type");
  }
}

}  // namespace kvasir::sdk

#endif  // SDK_SRC_GUARD_H_
