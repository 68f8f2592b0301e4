"""Pimlico: verified hardware generators for LLM-accelerator blocks (PIM, LUT & Inference Cores)."""

from importlib.metadata import version

__version__ = version("pimlico")
