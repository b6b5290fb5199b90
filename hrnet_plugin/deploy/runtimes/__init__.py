"""What computes a network: torch, torch.compile, ONNX Runtime, OpenVINO, ncnn, each behind the same call."""
