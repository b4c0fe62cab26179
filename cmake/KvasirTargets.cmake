# What every target of the tree shares: language level, warnings as errors, CPU baseline, sanitizers.
set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
set(CMAKE_CXX_VISIBILITY_PRESET hidden)
set(CMAKE_VISIBILITY_INLINES_HIDDEN ON)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
find_program(KVASIR_CCACHE ccache)
if(KVASIR_CCACHE)
  set(CMAKE_CXX_COMPILER_LAUNCHER ${KVASIR_CCACHE})
endif()

add_library(kvasir_options INTERFACE)
target_compile_options(kvasir_options INTERFACE
  -Wall -Wextra -Wpedantic -Wshadow -Wnon-virtual-dtor -Woverloaded-virtual -Werror
  # GCC 12 warns of overlaps in "x" + std::string that cannot be (its bug 105651).
  $<$<CXX_COMPILER_ID:GNU>:-Wno-restrict>)
if(CMAKE_SYSTEM_PROCESSOR MATCHES "x86_64|AMD64")
  # One binary for every x86-64 CPU since 2009; faster instructions are chosen at run time (docs/architecture.md).
  target_compile_options(kvasir_options INTERFACE -march=x86-64-v2)
endif()
if(KVASIR_SANITIZE)
  # GCC's flow analysis loses track of what a sanitizer inserts and warns of variants that are never read.
  target_compile_options(kvasir_options INTERFACE -fsanitize=${KVASIR_SANITIZE} -fno-sanitize-recover=all
    -fno-omit-frame-pointer $<$<CXX_COMPILER_ID:GNU>:-Wno-maybe-uninitialized>)
  target_link_options(kvasir_options INTERFACE -fsanitize=${KVASIR_SANITIZE})
endif()

# kvasir_library(NAME SOURCES a.cc … [USES kvasir::x …] [PRIVATE lib …])
# A static library `kvasir_NAME`, alias `kvasir::NAME`. Includes are written from the root: "storage/store.h".
# USES are our own libraries (public); PRIVATE are third-party ones, kept out of everybody else's sight.
function(kvasir_library name)
  cmake_parse_arguments(ARG "" "" "SOURCES;USES;PRIVATE" ${ARGN})
  add_library(kvasir_${name} STATIC ${ARG_SOURCES})
  add_library(kvasir::${name} ALIAS kvasir_${name})
  target_include_directories(kvasir_${name} PUBLIC ${PROJECT_SOURCE_DIR})
  target_link_libraries(kvasir_${name} PUBLIC kvasir::api ${ARG_USES} PRIVATE kvasir_options ${ARG_PRIVATE})
endfunction()
