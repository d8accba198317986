#include "network.hpp"

#include <algorithm>
#include <cmath>
#include <openvino/openvino.hpp>

#include "errors.hpp"

namespace {

// A probability of 0 or 1 has no logit: it is kept so far off them, as edgeau does.
constexpr double kCertain = 1e-7;

// (x / 255 - mean) / std; "at" finds the place of a channel, row and column.
template <typename At>
void normalise(const uint8_t* crop, const Input& input, float* out, At at) {
  const bool reversed = input.color == "BGR";
  for (size_t y = 0; y < input.height; ++y) {
    for (size_t x = 0; x < input.width; ++x) {
      const uint8_t* pixel = crop + (y * input.width + x) * 3;
      for (size_t channel = 0; channel < input.mean.size(); ++channel) {
        const double value = input.color == "GRAY" ? std::round(0.299 * pixel[0] + 0.587 * pixel[1] + 0.114 * pixel[2])
                                                   : pixel[reversed ? 2 - channel : channel];
        out[at(channel, y, x)] = static_cast<float>((value / 255 - input.mean[channel]) / input.std[channel]);
      }
    }
  }
}

}  // namespace

struct Network::Engine {
  ov::Core core;
  ov::CompiledModel model;
  ov::InferRequest request;
  bool channels_last = false;
};

Network::Network(const Bundle& bundle, const Artifact& artifact)
    : bundle_(bundle), artifact_(artifact), engine_(std::make_unique<Engine>()) {
  try {
    // Left to itself OpenVINO may compute in a shorter float where a processor is fast with one.
    engine_->model = engine_->core.compile_model((bundle.folder / artifact.file).string(), "CPU",
                                                 ov::hint::inference_precision(ov::element::f32),
                                                 ov::hint::execution_mode(ov::hint::ExecutionMode::ACCURACY),
                                                 ov::inference_num_threads(1));
    engine_->request = engine_->model.create_infer_request();
    if (engine_->model.input().get_element_type() != ov::element::f32) {
      throw UserError(artifact.file + " takes integers; this program feeds floats, so choose another artifact");
    }
  } catch (const ov::Exception& error) {
    throw UserError("OpenVINO refuses " + artifact.file + ": " + error.what());
  }
  engine_->channels_last = artifact.runtime == "litert";
}

Network::~Network() = default;

std::vector<float> Network::logits(const uint8_t* crop) {
  const Input& input = bundle_.input;
  const size_t channels = input.mean.size(), height = input.height, width = input.width;
  const ov::Shape shape = engine_->channels_last ? ov::Shape{1, height, width, channels} : ov::Shape{1, channels, height, width};
  ov::Tensor tensor(ov::element::f32, shape);
  if (engine_->channels_last) {
    normalise(crop, input, tensor.data<float>(), [=](size_t c, size_t y, size_t x) { return (y * width + x) * channels + c; });
  } else {
    normalise(crop, input, tensor.data<float>(), [=](size_t c, size_t y, size_t x) { return (c * height + y) * width + x; });
  }
  ov::Tensor answer;
  try {
    engine_->request.set_input_tensor(tensor);
    engine_->request.infer();
    answer = engine_->request.get_output_tensor(0);
  } catch (const ov::Exception& error) {
    throw UserError("OpenVINO cannot run " + artifact_.file + " on a crop of the manifest's size: " + error.what());
  }
  if (answer.get_size() != bundle_.labels.size()) throw UserError(artifact_.file + " does not give one logit a label");
  std::vector<float> logits(answer.data<float>(), answer.data<float>() + answer.get_size());
  if (artifact_.probabilities) {
    for (float& value : logits) {
      const double inside = std::clamp(static_cast<double>(value), kCertain, 1 - kCertain);
      value = static_cast<float>(std::log(inside / (1 - inside)));
    }
  }
  return logits;
}
