"""One tensor's memory: on the device, and pinned on the host where numpy sees it."""

from __future__ import annotations

import ctypes

import numpy as np
from numpy.typing import NDArray

from edgeau.runtimes.tensorrt.cuda import Cuda

__all__ = ["TensorMemory"]


class TensorMemory:
    """Device memory and its pinned mirror, float32.

    Args:
        cuda: whose memory it is.
        shape: shape of the tensor.

    Attributes:
        host: the mirror; valid until :meth:`close`.
        device: address on the device.

    Raises:
        EngineError: there is not enough of either; what was taken is given back.
    """

    def __init__(self, cuda: Cuda, shape: tuple[int, ...]) -> None:
        self._cuda = cuda
        self._size = int(np.prod(shape)) * 4
        self.device = cuda.allocate(self._size)
        try:
            self._pinned = cuda.allocate_pinned(self._size)
        except BaseException:
            cuda.free(self.device)
            raise
        view = (ctypes.c_byte * self._size).from_address(self._pinned)
        self.host: NDArray[np.float32] = np.frombuffer(memoryview(view), np.float32).reshape(shape)

    def upload(self, stream: int) -> None:
        """Enqueue host to device."""
        self._cuda.copy_to_device(self.device, self._pinned, self._size, stream)

    def download(self, stream: int) -> None:
        """Enqueue device to host."""
        self._cuda.copy_to_host(self._pinned, self.device, self._size, stream)

    def close(self) -> None:
        """Give both back; a second call does nothing."""
        if self._size == 0:
            return
        self._size = 0
        self.host = np.empty(0, np.float32)  # a view of freed memory must not stay around
        self._cuda.free(self.device)
        self._cuda.free_pinned(self._pinned)
