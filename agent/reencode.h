// Reencode: the same memories by another model, from the kept text.
#ifndef KVASIR_AGENT_REENCODE_H_
#define KVASIR_AGENT_REENCODE_H_

#include <cstdint>

#include "agent/bank.h"
#include "kvasir/requests.h"
#include "kvasir/status.h"

namespace kvasir::agent {

/// See Memory::Reencode. From its first step on the store belongs to the loaded model; a memory
/// that is not encoded yet is found by its words only. Commits every few thousand tokens: a call
/// that was stopped or killed is finished by the next one. Returns how many memories were encoded.
Result<std::uint64_t> Reencode(Bank& bank, const CallOptions& options);

}  // namespace kvasir::agent

#endif  // KVASIR_AGENT_REENCODE_H_
