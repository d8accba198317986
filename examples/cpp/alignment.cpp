#include "alignment.hpp"

#include <algorithm>
#include <cmath>
#include <fstream>
#include <sstream>

#include "errors.hpp"

namespace {

constexpr size_t kMesh = 468;

Point mean(const std::vector<Point>& landmarks, const std::vector<size_t>& indices) {
  Point sum;
  for (const size_t index : indices) {
    sum.x += landmarks[index].x / static_cast<double>(indices.size());
    sum.y += landmarks[index].y / static_cast<double>(indices.size());
  }
  return sum;
}

// A similarity: (x, y) of the picture lands at (a x + b y + x0, -b x + a y + y0) of the crop.
struct Similarity {
  double a, b, x0, y0;

  Point back(double u, double v) const {
    const double square = a * a + b * b;
    return {(a * (u - x0) - b * (v - y0)) / square, (b * (u - x0) + a * (v - y0)) / square};
  }
};

Similarity five_point_box(const std::vector<Point>& landmarks, const Alignment& alignment) {
  const Point left = mean(landmarks, {33, 160, 158, 133, 153, 144});
  const Point right = mean(landmarks, {362, 385, 387, 263, 373, 380});
  const double length = std::hypot(right.x - left.x, right.y - left.y);
  if (!(length > 0)) throw UserError("the landmarks give no eye distance, so the face cannot be aligned");
  const double c = (right.x - left.x) / length, s = (right.y - left.y) / length;
  double low_x = INFINITY, high_x = -INFINITY, low_y = INFINITY, high_y = -INFINITY;
  for (const Point& point : {left, right, landmarks[1], landmarks[61], landmarks[291]}) {
    const double x = c * point.x + s * point.y, y = c * point.y - s * point.x;
    low_x = std::min(low_x, x), high_x = std::max(high_x, x);
    low_y = std::min(low_y, y), high_y = std::max(high_y, y);
  }
  const double half = 0.5 * alignment.margin * std::max(high_x - low_x, high_y - low_y);
  const double k = (alignment.canvas - 1) / (2 * half), inset = (alignment.canvas - alignment.size) / 2;
  return {k * c, k * s, k * (half - (low_x + high_x) / 2) - inset, k * (half - (low_y + high_y) / 2) - inset};
}

// The mean of blocks of factor x factor pixels; what is left over at the right and below is dropped.
Picture shrunk(const Picture& picture, size_t factor) {
  Picture small{picture.height / factor, picture.width / factor, {}};
  small.rgb.resize(small.height * small.width * 3);
  for (size_t y = 0; y < small.height; ++y) {
    for (size_t x = 0; x < small.width * 3; ++x) {
      const size_t column = x / 3 * factor, channel = x % 3;
      size_t sum = 0;
      for (size_t j = 0; j < factor; ++j) {
        for (size_t i = 0; i < factor; ++i) {
          sum += picture.rgb[((y * factor + j) * picture.width + column + i) * 3 + channel];
        }
      }
      const size_t area = factor * factor;
      small.rgb[y * small.width * 3 + x] = static_cast<uint8_t>((sum + area / 2) / area);
    }
  }
  return small;
}

double pixel(const Picture& picture, long x, long y, size_t channel, int border) {
  if (x < 0 || y < 0 || x >= static_cast<long>(picture.width) || y >= static_cast<long>(picture.height)) return border;
  return picture.rgb[(static_cast<size_t>(y) * picture.width + static_cast<size_t>(x)) * 3 + channel];
}

}  // namespace

std::vector<Point> read_landmarks(const std::filesystem::path& file) {
  std::ifstream stream(file);
  if (!stream) throw UserError(file.string() + " cannot be read");
  std::vector<Point> points;
  for (std::string line; std::getline(stream, line);) {
    std::istringstream numbers(line);
    Point point;
    if (numbers >> point.x >> point.y) points.push_back(point);
  }
  if (points.size() < kMesh) {
    throw UserError(file.string() + " has " + std::to_string(points.size()) + " points; MediaPipe's mesh has 468 or 478");
  }
  return points;
}

Picture aligned_crop(const Picture& picture, const std::vector<Point>& landmarks, const Alignment& alignment) {
  if (alignment.method != "five-point-box") {
    throw UserError("this program aligns by five-point-box; docs/bundle-format.md has the formula of " + alignment.method);
  }
  Similarity map = five_point_box(landmarks, alignment);
  // Bilinear sampling skips pixels below half size: average blocks first. A block's centre is (factor - 1) / 2 pixels in.
  const auto factor = static_cast<size_t>(std::max(1.0, std::floor(1 / std::hypot(map.a, map.b))));
  const Picture small = factor > 1 ? shrunk(picture, factor) : picture;
  const auto size = static_cast<size_t>(alignment.size);
  Picture crop{size, size, std::vector<uint8_t>(size * size * 3)};
  for (size_t v = 0; v < size; ++v) {
    for (size_t u = 0; u < size; ++u) {
      const Point in_picture = map.back(static_cast<double>(u), static_cast<double>(v));
      const double shift = (static_cast<double>(factor) - 1) / 2, by = static_cast<double>(factor);
      const double x = (in_picture.x - shift) / by, y = (in_picture.y - shift) / by;
      const double left = std::floor(x), top = std::floor(y), right = x - left, below = y - top;
      const long i = static_cast<long>(left), j = static_cast<long>(top);
      for (size_t channel = 0; channel < 3; ++channel) {
        const double upper = (1 - right) * pixel(small, i, j, channel, alignment.border) +
                             right * pixel(small, i + 1, j, channel, alignment.border);
        const double lower = (1 - right) * pixel(small, i, j + 1, channel, alignment.border) +
                             right * pixel(small, i + 1, j + 1, channel, alignment.border);
        crop.rgb[(v * size + u) * 3 + channel] = static_cast<uint8_t>(std::lround((1 - below) * upper + below * lower));
      }
    }
  }
  return crop;
}
