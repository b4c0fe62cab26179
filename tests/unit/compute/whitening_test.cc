// Whitened cosines against the definition, solved in double.
#include "compute/whitening.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <random>
#include <span>
#include <vector>

namespace kvasir::compute {
namespace {

using Rows = std::vector<std::vector<double>>;

/// x of Σ x = y, by elimination with pivots.
std::vector<double> Solve(Rows sigma, std::vector<double> y) {
  const std::size_t n = y.size();
  for (std::size_t k = 0; k < n; ++k) {
    std::size_t pivot = k;
    for (std::size_t i = k; i < n; ++i) {
      if (std::abs(sigma[i][k]) > std::abs(sigma[pivot][k])) pivot = i;
    }
    std::swap(sigma[k], sigma[pivot]);
    std::swap(y[k], y[pivot]);
    for (std::size_t i = 0; i < n; ++i) {
      if (i == k) continue;
      const double times = sigma[i][k] / sigma[k][k];
      for (std::size_t j = k; j < n; ++j) sigma[i][j] -= times * sigma[k][j];
      y[i] -= times * y[k];
    }
  }
  for (std::size_t k = 0; k < n; ++k) y[k] /= sigma[k][k];
  return y;
}

/// Σ of whitening.h.
Rows Sigma(std::span<const float> keys, std::size_t dim) {
  const std::size_t n = keys.size() / dim;
  std::vector<double> mean(dim);
  for (std::size_t i = 0; i < keys.size(); ++i) {
    mean[i % dim] += double{keys[i]} / static_cast<double>(n);
  }
  Rows sigma(dim, std::vector<double>(dim));
  double trace = 0;
  for (std::size_t a = 0; a < dim; ++a) {
    for (std::size_t b = 0; b < dim; ++b) {
      for (std::size_t k = 0; k < n; ++k) {
        sigma[a][b] +=
            (double{keys[k * dim + a]} - mean[a]) * (double{keys[k * dim + b]} - mean[b]);
      }
      sigma[a][b] /= static_cast<double>(n);
    }
    trace += sigma[a][a];
  }
  const double d = static_cast<double>(dim);
  for (std::size_t a = 0; a < dim; ++a) {
    sigma[a][a] += trace > 0 ? (1 + 3 * d / static_cast<double>(n)) * trace / d : 1;
  }
  return sigma;
}

double Dot(std::span<const float> a, std::span<const double> b) {
  double sum = 0;
  for (std::size_t i = 0; i < a.size(); ++i) sum += double{a[i]} * b[i];
  return sum;
}

double Cosine(const Rows& sigma, std::span<const float> a, std::span<const float> b) {
  const std::vector<double> of_a = Solve(sigma, {a.begin(), a.end()});
  const std::vector<double> of_b = Solve(sigma, {b.begin(), b.end()});
  return Dot(a, of_b) / std::sqrt(Dot(a, of_a) * Dot(b, of_b));
}

/// Normal numbers; each dimension three times as wide as the next but one.
std::vector<float> Draw(std::mt19937& random, std::size_t rows, std::size_t dim) {
  std::normal_distribution<float> normal;
  std::vector<float> x(rows * dim);
  for (std::size_t i = 0; i < x.size(); ++i) {
    x[i] = normal(random) * std::pow(3.0F, -static_cast<float>(i % dim % 8) / 2) + 0.5F;
  }
  return x;
}

std::vector<float> Whitened(const Whitening& whitening, std::span<const float> x, int threads = 2) {
  std::vector<float> unit(x.size());
  EXPECT_TRUE(whitening.Apply(x, unit, threads).ok());
  return unit;
}

TEST(Whitening, IsTheCosineUnderTheShrunkCovariance) {
  std::mt19937 random(1);
  for (const std::size_t dim : {1U, 2U, 7U, 36U, 96U, 97U, 200U}) {
    for (const std::size_t keys : {1U, 3U, 50U, 300U}) {
      const std::vector<float> all = Draw(random, keys, dim);
      const auto whitening = Whitening::Make(all, static_cast<std::int64_t>(dim), 2);
      ASSERT_TRUE(whitening.ok());
      const std::vector<float> some = Draw(random, 3, dim);
      const std::vector<float> unit = Whitened(*whitening, some);
      const Rows sigma = Sigma(all, dim);
      for (std::size_t i = 0; i < 3; ++i) {
        for (std::size_t j = 0; j < 3; ++j) {
          const auto row = [&](const std::vector<float>& of, std::size_t at) {
            return std::span(of).subspan(at * dim, dim);
          };
          const auto right = row(unit, j);
          const std::vector<double> wide(right.begin(), right.end());
          EXPECT_NEAR(Dot(row(unit, i), wide), Cosine(sigma, row(some, i), row(some, j)), 2e-4)
              << dim << " numbers, " << keys << " keys";
        }
      }
    }
  }
}

TEST(Whitening, ManyVectorsComeOutAsOne) {
  std::mt19937 random(2);
  constexpr std::size_t kDim = 100;
  const auto whitening = Whitening::Make(Draw(random, 400, kDim), kDim, 2).value();
  const std::vector<float> many = Draw(random, 131, kDim);
  const std::vector<float> together = Whitened(whitening, many);
  for (std::size_t i = 0; i < 131; ++i) {
    const std::span<const float> one = std::span(many).subspan(i * kDim, kDim);
    const std::vector<float> alone = Whitened(whitening, one, 1);
    for (std::size_t d = 0; d < kDim; ++d) EXPECT_NEAR(alone[d], together[i * kDim + d], 1e-6);
  }
}

TEST(Whitening, WhatAllKeysShareAndVaryInCountsLess) {
  // Keys differ most in the first number; two vectors that agree there alone were alike before.
  std::vector<float> keys;
  for (int i = 0; i < 64; ++i) {
    keys.insert(keys.end(), {i % 2 == 0 ? 5.0F : -5.0F, i % 4 < 2 ? 0.1F : -0.1F});
  }
  const auto whitening = Whitening::Make(keys, 2, 1).value();
  const std::vector<float> unit = Whitened(whitening, std::vector<float>{1, 0.5F, 1, -0.5F});
  EXPECT_LT(unit[0] * unit[2] + unit[1] * unit[3], 0.45F);  // 0.6 by the plain cosine.
}

TEST(Whitening, KeysThatAreAllTheSameLeaveTheCosine) {
  const auto whitening = Whitening::Make(std::vector<float>{3, 4, 3, 4, 3, 4}, 2, 1).value();
  const std::vector<float> unit = Whitened(whitening, std::vector<float>{3, 4, 0, 0});
  EXPECT_FLOAT_EQ(unit[0], 0.6F);
  EXPECT_FLOAT_EQ(unit[1], 0.8F);
  EXPECT_EQ(unit[2], 0);  // Zeros of zeros, no NaN.
  EXPECT_EQ(unit[3], 0);
}

TEST(Whitening, RefusesWhatDoesNotFit) {
  const std::vector<float> keys(6, 1.0F);
  EXPECT_EQ(Whitening::Make(keys, 4, 1).status().code(), StatusCode::kInvalidArgument);
  EXPECT_EQ(Whitening::Make(keys, 0, 1).status().code(), StatusCode::kInvalidArgument);
  EXPECT_EQ(Whitening::Make({}, 2, 1).status().code(), StatusCode::kInvalidArgument);
  std::vector<float> bad = keys;
  bad[2] = std::numeric_limits<float>::quiet_NaN();
  EXPECT_EQ(Whitening::Make(bad, 2, 1).status().code(), StatusCode::kCorruption);
  const auto whitening = Whitening::Make(keys, 2, 1).value();
  std::vector<float> unit(2);
  EXPECT_EQ(whitening.Apply(keys, unit, 1).code(), StatusCode::kInvalidArgument);
  EXPECT_EQ(whitening.Apply(std::vector<float>(3), unit, 1).code(), StatusCode::kInvalidArgument);
}

}  // namespace
}  // namespace kvasir::compute
