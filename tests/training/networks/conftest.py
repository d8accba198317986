"""Exports a module as edgeau-export does, and compares ONNX Runtime's answers with torch's."""

import io
import warnings

import onnxruntime
import pytest
import torch

OPSET = 17


@pytest.fixture
def onnx_difference():
    """Largest absolute difference on three inputs, after an export traced with one."""

    def difference(module, *shape, seed=0, mean=0.0, std=1.0):
        module.eval()
        generator = torch.Generator().manual_seed(seed)
        inputs = mean + std * torch.randn(3, *shape, generator=generator)
        buffer = io.BytesIO()
        with warnings.catch_warnings(), torch.inference_mode():
            warnings.simplefilter("ignore")  # the legacy exporter tells its age
            torch.onnx.export(
                module,
                (inputs[:1],),
                buffer,
                dynamo=False,
                opset_version=OPSET,
                input_names=["input"],
                output_names=["output"],
                dynamic_axes={"input": {0: "batch"}, "output": {0: "batch"}},
            )
            expected = module(inputs).numpy()
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        session = onnxruntime.InferenceSession(buffer.getvalue(), options, ["CPUExecutionProvider"])
        (answer,) = session.run(None, {"input": inputs.numpy()})
        assert answer.shape == expected.shape
        largest = float(abs(answer - expected).max())
        # An answer that hardly depends on the input would agree with anything.
        assert expected.std(axis=0).max() > 100 * largest
        return largest

    return difference


@pytest.fixture
def randomised():
    """Gives batch norms statistics and weights that are not 1 and 0, so that a misplaced one is seen."""

    def randomise(module, seed=0):
        generator = torch.Generator().manual_seed(seed)
        for layer in module.modules():
            if isinstance(layer, torch.nn.modules.batchnorm._BatchNorm):
                layer.running_mean.normal_(std=0.3, generator=generator)
                layer.running_var.uniform_(0.5, 2, generator=generator)
                if layer.affine:
                    with torch.no_grad():
                        layer.weight.uniform_(0.5, 1.5, generator=generator)
                        layer.bias.normal_(std=0.3, generator=generator)
        return module.eval()

    return randomise
