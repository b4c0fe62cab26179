// Everything of kvasir in one include.
#ifndef KVASIR_KVASIR_H_
#define KVASIR_KVASIR_H_

#include "kvasir/filter.h"
#include "kvasir/memory.h"
#include "kvasir/requests.h"
#include "kvasir/status.h"
#include "kvasir/types.h"

#endif  // KVASIR_KVASIR_H_
