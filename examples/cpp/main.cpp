// Runs an edgeau bundle without Python: verifies it, holds its golden answers, then reads a picture or a batch of crops.
//
//   edgeau_run BUNDLE [--artifact FILE]
//   edgeau_run BUNDLE [--artifact FILE] --picture face.jpg --landmarks landmarks.txt
//   edgeau_run BUNDLE [--artifact FILE] --crops crops.npy --out logits.npy
//
// Exit codes: 0 done, 1 something else failed, 2 the user can fix it.

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <exception>
#include <map>
#include <string>
#include <vector>

#include "alignment.hpp"
#include "arrays.hpp"
#include "bundle.hpp"
#include "errors.hpp"
#include "jpeg.hpp"
#include "network.hpp"

namespace {

constexpr int kDone = 0, kFailed = 1, kUserCanFix = 2;
constexpr char kUsage[] =
    "edgeau_run BUNDLE [--artifact FILE] [--picture JPEG --landmarks TXT] [--crops NPY --out NPY]";

// Largest distance of an engine from the golden answers, by precision: of a logit, and of a probability.
struct Tolerance {
  double logit, probability;
};
const std::map<std::string, Tolerance> kTolerances = {
    {"fp32", {1e-3, 1e-3}},    {"fp16", {0.1, 0.02}},     {"dynamic", {INFINITY, 0.1}},
    {"int8", {INFINITY, 0.1}}, {"w8a16", {INFINITY, 0.05}},
};

double probability(double logit) { return 1 / (1 + std::exp(-logit)); }

size_t crop_bytes(const Bundle& bundle) { return bundle.input.height * bundle.input.width * 3; }

const Array& array_named(const std::map<std::string, Array>& arrays, const std::string& name) {
  const auto found = arrays.find(name);
  if (found == arrays.end()) throw UserError("the golden answers lack " + name + "; export the bundle again");
  return found->second;
}

void check_crops(const Bundle& bundle, const Array& crops) {
  const std::vector<size_t> wanted = {bundle.input.height, bundle.input.width, 3};
  if (crops.type != "u1" || crops.shape.size() != 4 || !std::equal(wanted.begin(), wanted.end(), crops.shape.begin() + 1)) {
    throw UserError("crops are uint8 (n, height, width, 3) of the network's size; these are something else");
  }
}

void check_golden(const Bundle& bundle, const Artifact& artifact, Network& network) {
  const auto arrays = read_npz(bundle.folder / bundle.golden);
  const Array& crops = array_named(arrays, "crops");
  const Array& expected = array_named(arrays, "logits/" + artifact.file);
  const Array& decided = array_named(arrays, "decisions/" + artifact.file);
  check_crops(bundle, crops);
  const auto tolerance = kTolerances.find(artifact.precision);
  if (tolerance == kTolerances.end()) throw UserError("the precision " + artifact.precision + " is not known");
  if (expected.count() != crops.shape[0] * bundle.labels.size() || decided.count() != expected.count()) {
    throw UserError("the golden answers do not fit the labels; export the bundle again");
  }
  if (crops.shape[0] == 0) throw UserError("the golden answers have no crop; export the bundle again");
  double of_logits = 0, of_probabilities = 0;
  size_t flips = 0, clear_flips = 0;
  for (size_t i = 0; i < crops.shape[0]; ++i) {
    const std::vector<float> logits = network.logits(crops.as_bytes() + i * crop_bytes(bundle));
    for (size_t j = 0; j < logits.size(); ++j) {
      const size_t at = i * logits.size() + j;
      const double wanted = expected.as_floats()[at], likely = probability(logits[j]);
      // std::max leaves out what is no number, so that no difference would be found.
      if (!std::isfinite(wanted)) throw UserError("the golden answers are not finite; export the bundle again");
      if (!std::isfinite(logits[j])) {
        throw UserError("OpenVINO gives logits of " + artifact.file + " that are not finite; choose another artifact");
      }
      of_logits = std::max(of_logits, std::abs(logits[j] - wanted));
      of_probabilities = std::max(of_probabilities, std::abs(likely - probability(wanted)));
      const bool flipped = (likely >= artifact.thresholds[j]) != (decided.as_bytes()[at] != 0);
      flips += flipped;
      // Nearer to the threshold than an engine may differ, a decision may fall either way.
      clear_flips += flipped && std::abs(probability(wanted) - artifact.thresholds[j]) > tolerance->second.probability;
    }
  }
  std::printf("golden answers of %s: %zu crops, largest difference of a logit %.2g, of a probability %.2g, %zu decisions differ\n",
              artifact.file.c_str(), crops.shape[0], of_logits, of_probabilities, flips);
  if (of_logits > tolerance->second.logit || of_probabilities > tolerance->second.probability || clear_flips > 0) {
    throw UserError("OpenVINO does not give the golden answers of " + artifact.file + "; choose another artifact");
  }
}

void show_picture(const Bundle& bundle, const Artifact& artifact, Network& network, const std::string& picture,
                  const std::string& landmarks) {
  const Picture crop = aligned_crop(read_jpeg(picture), read_landmarks(landmarks), bundle.alignment);
  const std::vector<float> logits = network.logits(crop.rgb.data());
  if (!bundle.trained) std::printf("UNTRAINED: these answers mean nothing\n");
  for (size_t i = 0; i < logits.size(); ++i) {
    const double p = probability(logits[i]);
    std::printf("%-6s %.4f %s\n", bundle.labels[i].c_str(), p, p >= artifact.thresholds[i] ? "active" : "-");
  }
}

void write_logits(const Bundle& bundle, Network& network, const std::string& crops_file, const std::string& out) {
  const Array crops = read_npy(crops_file);
  check_crops(bundle, crops);
  std::vector<float> all;
  for (size_t i = 0; i < crops.shape[0]; ++i) {
    const std::vector<float> logits = network.logits(crops.as_bytes() + i * crop_bytes(bundle));
    all.insert(all.end(), logits.begin(), logits.end());
  }
  write_npy(out, all, crops.shape[0]);
}

int run(const std::vector<std::string>& arguments) {
  std::map<std::string, std::string> options;
  std::string folder;
  for (size_t i = 0; i < arguments.size(); ++i) {
    static const std::vector<std::string> kNames = {"--artifact", "--picture", "--landmarks", "--crops", "--out"};
    if (std::find(kNames.begin(), kNames.end(), arguments[i]) != kNames.end() && i + 1 < arguments.size()) {
      options[arguments[i]] = arguments[i + 1];
      ++i;
    } else if (folder.empty() && arguments[i].rfind("--", 0) != 0) {
      folder = arguments[i];
    } else {
      throw UserError("unexpected " + arguments[i] + "; " + kUsage);
    }
  }
  if (folder.empty() || options.count("--picture") != options.count("--landmarks") ||
      options.count("--crops") != options.count("--out")) {
    throw UserError(kUsage);
  }
  const Bundle bundle = read_bundle(folder);
  const Artifact& artifact = bundle.artifact(options["--artifact"]);
  Network network(bundle, artifact);
  check_golden(bundle, artifact, network);
  if (options.count("--picture")) show_picture(bundle, artifact, network, options["--picture"], options["--landmarks"]);
  if (options.count("--crops")) write_logits(bundle, network, options["--crops"], options["--out"]);
  return kDone;
}

}  // namespace

int main(int count, char** arguments) {
  try {
    return run({arguments + 1, arguments + count});
  } catch (const UserError& error) {
    std::fprintf(stderr, "edgeau_run: %s\n", error.what());
    return kUserCanFix;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "edgeau_run: %s\n", error.what());
    return kFailed;
  }
}
