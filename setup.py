"""Packaging of musrec: the beets plugin, the library under it and the training that made its encoder."""

from pathlib import Path

from setuptools import find_namespace_packages, setup

setup(
    name="musrec",
    version="0.1.0",
    description="Finds the tracks of your own music library that sound alike, from the sound alone",
    long_description=Path(__file__).with_name("README.md").read_text(encoding="utf-8"),
    long_description_content_type="text/markdown",
    license="MIT",
    python_requires=">=3.11",
    packages=find_namespace_packages(include=["beetsplug*", "musrecd*", "model_training*"]),
    package_data={
        "musrecd": ["py.typed"],
        "musrecd.analysis": ["weights/*"],
        "musrecd.map": ["*.html"],
        "model_training": ["*.txt"],
        "model_training.tempo": ["*.csv"],
    },
    install_requires=[
        "apscheduler>=3.10,<4",
        "av>=14",
        # 2.10 keeps library-relative paths, 2.7 made `genres` a list: both are relied on.
        "beets>=2.10",
        "click>=8.1",
        "confuse>=2",
        "filelock>=3.12",
        "logfmter>=0.0.8",
        "numpy>=1.26",
        "pebble>=5",
        "platformdirs>=4",
        "psutil>=5.9",
        "mutagen>=1.47",
        "rich>=13",
        "safetensors>=0.4",
        "scikit-learn>=1.4",
        "sdnotify>=0.3.2",
        "scipy>=1.11",
        "filetype>=1.2",
        "mediafile>=0.13",
        "threadpoolctl>=3",
        "soxr>=0.5",
        "sqlite-utils>=4",
        "torch>=2.2",
        # 7 tells of events that the system dropped, 7.1 of changed times apart from changed content.
        "watchdog>=7.1",
    ],
    extras_require={
        "cluster": ["distributed>=2026.8"],
        "mpd": ["python-mpd2>=3.1"],
        "pictures": ["matplotlib>=3.8"],
        "training": [
            "librosa>=0.11",
            "matplotlib>=3.8",
            "mido>=1.3",
            "pyfluidsynth>=1.3",
            "soundfile>=0.12",
            "tensorboard>=2.16",
        ],
        "tests": [
            "distributed>=2026.8",
            "hypothesis>=6",
            "librosa>=0.11",
            "matplotlib>=3.8",
            "mypy>=1.13",
            "pytest>=8",
            "pytest-timeout>=2.3",
            "pytest-xdist>=3.5",
            "python-mpd2>=3.1",
            "ruff>=0.9",
        ],
    },
    entry_points={"console_scripts": ["musrecd = musrecd.cli:main"]},
    classifiers=[
        "License :: OSI Approved :: MIT License",
        "Programming Language :: Python :: 3",
        "Programming Language :: Python :: 3.11",
        "Topic :: Multimedia :: Sound/Audio :: Analysis",
    ],
)
