// A bundle: manifest.json and the files that it names, verified before any of them is opened.
#pragma once

#include <array>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

struct Artifact {
  std::string file, runtime, precision;
  bool probabilities = false;
  std::vector<float> thresholds;  // one a label, on the network's own probability
};

struct Input {
  size_t height = 0, width = 0;
  std::string color;  // RGB, BGR or GRAY
  std::vector<float> mean, std;
};

struct Alignment {
  std::string method;
  double size = 0, canvas = 0, margin = 0;
  int border = 0;
};

struct Bundle {
  std::filesystem::path folder;
  std::string title;
  bool trained = true;
  std::vector<std::string> labels;
  Input input;
  Alignment alignment;
  std::vector<Artifact> artifacts;
  std::string golden;

  // The named artifact, or the first that this program's engine runs.
  const Artifact& artifact(const std::string& file) const;
};

Bundle read_bundle(const std::filesystem::path& folder);
