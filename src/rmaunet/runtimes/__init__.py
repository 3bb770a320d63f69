"""Libraries that compute the probabilities of a network: PyTorch, OpenVINO, ONNX Runtime."""
