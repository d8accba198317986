// NumPy's .npy and .npz, as far as bundles use them: C order, uint8, bool and float32.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

struct Array {
  std::string type;            // "u1", "b1" or "f4"
  std::vector<size_t> shape;
  std::vector<uint8_t> bytes;  // C order, little endian

  size_t count() const;
  const uint8_t* as_bytes() const;  // of a u1 or b1 array
  const float* as_floats() const;   // of an f4 array
};

// Every array of an .npz by its name without ".npy".
std::map<std::string, Array> read_npz(const std::filesystem::path& file);
Array read_npy(const std::filesystem::path& file);
void write_npy(const std::filesystem::path& file, const std::vector<float>& values, size_t rows);
