// The engine: an artifact in OpenVINO, crops in, logits out.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "bundle.hpp"

class Network {
 public:
  Network(const Bundle& bundle, const Artifact& artifact);
  ~Network();
  Network(const Network&) = delete;
  Network& operator=(const Network&) = delete;

  // Logits, one a label, of a crop: uint8 (height, width, 3) RGB.
  std::vector<float> logits(const uint8_t* crop);

 private:
  struct Engine;
  const Bundle& bundle_;
  const Artifact& artifact_;
  std::unique_ptr<Engine> engine_;
};
