"""Trains Memory Sparse Attention routers for kvasir and writes them as safetensors adapters."""
