#include "compute/mapped_memory.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstddef>
#include <span>
#include <utility>

namespace kvasir::compute {
namespace {

constexpr std::size_t kMiB = std::size_t{1} << 20;

TEST(MappedMemoryTest, IsZeroedAlignedAndWritableToItsEnd) {
  for (const bool will_fill : {false, true}) {
    for (const std::size_t bytes : {std::size_t{1}, std::size_t{4097}, 2 * kMiB, 7 * kMiB + 13}) {
      const MappedMemory memory = MappedMemory::Map(bytes, will_fill);
      ASSERT_TRUE(memory);
      const std::span<std::uint8_t> all(memory.data(), bytes);
      const std::size_t alignment = will_fill && bytes >= 2 * kMiB ? 2 * kMiB : 4096;
      EXPECT_EQ(reinterpret_cast<std::uintptr_t>(memory.data()) % alignment, 0U) << bytes;
      EXPECT_TRUE(std::ranges::all_of(all, [](std::uint8_t byte) { return byte == 0; })) << bytes;
      std::ranges::fill(all, std::uint8_t{7});
      EXPECT_EQ(memory.data()[bytes - 1], 7) << bytes;
    }
  }
}

TEST(MappedMemoryTest, MovesAndIsLetGo) {
  MappedMemory memory = MappedMemory::Map(100, false);
  std::uint8_t* const data = memory.data();
  MappedMemory other = std::move(memory);
  EXPECT_EQ(other.data(), data);
  other = {};
  EXPECT_FALSE(other);
}

TEST(MappedMemoryTest, WhatCannotBeHadIsEmpty) {
  EXPECT_FALSE(MappedMemory::Map(std::size_t{1} << 60, false));
  EXPECT_FALSE(MappedMemory::Map(std::size_t{1} << 60, true));
}

}  // namespace
}  // namespace kvasir::compute
