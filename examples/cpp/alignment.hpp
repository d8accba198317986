// From a picture and its landmarks to the crop that the network was trained on.
#pragma once

#include <cstdint>
#include <filesystem>
#include <vector>

#include "bundle.hpp"

struct Picture {
  size_t height = 0, width = 0;
  std::vector<uint8_t> rgb;  // height x width x 3
};

struct Point {
  double x = 0, y = 0;
};

// One "x y" or "x y z" a line, MediaPipe's order, pixels of the picture.
std::vector<Point> read_landmarks(const std::filesystem::path& file);

// uint8 (size, size, 3) RGB.
Picture aligned_crop(const Picture& picture, const std::vector<Point>& landmarks, const Alignment& alignment);
