"""The page about a test, `hrnet test --report`: what it shows of poses, of masks and of classes."""
