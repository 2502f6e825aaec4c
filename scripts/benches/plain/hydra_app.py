"""A bare Hydra app over the same config groups: `python hydra_app.py --config-dir conf --cfg job`."""

import hydra
from omegaconf import DictConfig


@hydra.main(config_path=None, config_name="train", version_base="1.3")
def main(config: DictConfig) -> None:
    print(config.name)


if __name__ == "__main__":
    main()
