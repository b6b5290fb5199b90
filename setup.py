"""Installs the package; `configs/`, `tools/`, `requirements/` and the index of models travel inside the wheel."""

import re
import shutil
from pathlib import Path

from setuptools import find_packages, setup
from setuptools.command.build_py import build_py

ROOT = Path(__file__).resolve().parent
CARRIED = ("configs", "tools", "requirements")
#: Where OpenMMLab's package manager looks for the models of a package.
INDEX = "model-index.yml"


class BuildWithConfigs(build_py):
    """Copies what is carried to `hrnet_plugin/.mim/` of the wheel being built, never of the checkout."""

    def run(self):
        if not self.editable_mode:
            shutil.rmtree(self.build_lib, ignore_errors=True)  # an earlier build may hold modules that are gone
        super().run()
        if self.editable_mode:
            return
        for name in CARRIED:
            target = Path(self.build_lib) / "hrnet_plugin" / ".mim" / name
            shutil.rmtree(target, ignore_errors=True)
            shutil.copytree(ROOT / name, target, ignore=shutil.ignore_patterns("__pycache__", ".*"))
        shutil.copyfile(ROOT / INDEX, Path(self.build_lib) / "hrnet_plugin" / ".mim" / INDEX)


def requirements(name: str) -> list[str]:
    lines = (ROOT / "requirements" / f"{name}.txt").read_text(encoding="utf-8").splitlines()
    return [line.split("#")[0].strip() for line in lines if line.split("#")[0].strip()]


setup(
    name="hrnet_plugin",
    version=re.search(r'__version__ = "(.+?)"', (ROOT / "hrnet_plugin/version.py").read_text())[1],
    description="One HRNet for mmpose, mmsegmentation, mmdetection and mmpretrain",
    long_description=(ROOT / "README.md").read_text(encoding="utf-8"),
    long_description_content_type="text/markdown",
    license="Apache-2.0",
    keywords="HRNet Lite-HRNet OpenMMLab mmpose mmsegmentation pose-estimation segmentation backbone pytorch",
    classifiers=[
        "Development Status :: 4 - Beta",
        "Intended Audience :: Developers",
        "Intended Audience :: Science/Research",
        "Operating System :: POSIX :: Linux",
        "Programming Language :: Python :: 3.10",
        "Programming Language :: Python :: 3.11",
        "Programming Language :: Python :: 3.12",
        "Topic :: Scientific/Engineering :: Artificial Intelligence",
        "Topic :: Scientific/Engineering :: Image Recognition",
    ],
    python_requires=">=3.10,<3.13",
    packages=find_packages(include=["hrnet_plugin", "hrnet_plugin.*"]),
    package_data={"hrnet_plugin.reports": ["templates/*.j2"]},
    # torch and the frameworks are left out on purpose: a torch that is there is kept, and pip cannot express
    # `--no-deps`. `hrnet doctor` prints the commands for what is missing.
    install_requires=requirements("runtime"),
    extras_require={"test": requirements("test"), "deploy": requirements("deploy")},
    cmdclass={"build_py": BuildWithConfigs},
    entry_points={"console_scripts": ["hrnet = hrnet_plugin.cli.main:main"]},
    zip_safe=False,
)
