#include "compute/helper_threads.h"

#include <omp.h>

namespace kvasir::compute {

HelpersEndHere::~HelpersEndHere() { omp_pause_resource_all(omp_pause_soft); }

}  // namespace kvasir::compute
