"""The published table: a folder of ``table.safetensors``, ``manifest.json`` and, where one pays, ``index.faiss``.

Written once by the trainer, opened read-only by memory map, shared between processes, verified by digest. Nothing in
it can execute code.
"""
