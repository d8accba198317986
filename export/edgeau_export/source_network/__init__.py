"""Sources of an export's float network: where it comes from, and what every source gives.

``network.py`` says what a source gives: a description, one standard ONNX graph, the answers that an artifact must give. ``from_packaged``,
``from_checkpoint``, ``from_model_file`` (networks of others) and ``from_tflite`` are the sources, chosen in ``export.py``. Of a network
of others ``model_file`` reads the ``model.toml``, ``foreign_weights`` and ``foreign_module`` open what ``weights`` and ``builder``
name, ``standard_graph`` brings any ONNX graph into the one form, ``contract`` checks that it is what the file says, and
``known_weights`` with ``weight_parity`` that each weight arrived. ``describe`` prints a ``model.toml`` to fill in.
"""
