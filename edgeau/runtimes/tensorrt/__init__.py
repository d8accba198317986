"""TensorRT on the device: engines are built where they run, kept, and built again when they no longer fit.

One file an idea; :mod:`edgeau.runtimes.tensorrt.api` lists everything of TensorRT and CUDA that this package touches.
"""
