"""The whole pipeline on real published data."""

from tests.project import STAGES, make_project


def test_kvasir_trains_from_a_local_copy_of_the_published_archive(tmp_path, real_data):
    project = make_project(
        tmp_path / "project",
        {
            "data.name": "kvasir",
            "data.path": str(real_data / "kvasir-seg.zip"),
            "preprocess.image_size": 64,
            "train.epochs": 1,
            "evaluate.overlays": 3,
        },
    )
    assert project.repro().ran == list(STAGES)
    rows = (project.root / "reports/evaluate/cases.csv").read_text().splitlines()
    assert rows[0].startswith("id,group,class,dice,iou,")
    assert "polyp" in rows[1]
    assert 100 < len(rows) < 200
    assert len(list((project.root / "reports/evaluate/overlays").iterdir())) == 3


def test_images_of_many_sizes_train_at_a_scale(project, images):
    from tests.project import write_pair

    for i in range(6):
        write_pair(images, f"other{i}", seed=i, height=40 + 4 * i, width=60 - 3 * i)
    project.set_params({"preprocess.image_size": 0.5, "train.batch_size": 3})
    assert project.repro().ran == list(STAGES)
