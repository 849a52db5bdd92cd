import stat
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID

from bpmnd.cli import main
from bpmnd.cluster.tls import TlsFiles, client_context, server_context


@pytest.fixture
def authority(tmp_path: Path) -> Path:
    assert main(["tls", "init", str(tmp_path / "tls")]) == 0
    return tmp_path / "tls"


def certificate(path: Path) -> x509.Certificate:
    return x509.load_pem_x509_certificate(path.read_bytes())


def test_all_files_can_be_read_by_their_owner_alone(authority: Path) -> None:
    assert main(["tls", "node", str(authority), "--node", "3"]) == 0

    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in authority.iterdir()}
    assert modes == dict.fromkeys(("ca.key", "ca.pem", "node-3.key", "node-3.pem"), 0o600)


def test_a_node_certificate_names_its_node_and_serves_both_ends(authority: Path) -> None:
    main(["tls", "node", str(authority), "--node", "3"])

    made = certificate(authority / "node-3.pem")

    names = made.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    usage = made.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    key = made.public_key()
    assert names.get_values_for_type(x509.DNSName) == ["node-3.bpmnd"]
    assert set(usage) == {ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH}
    assert isinstance(key, ec.EllipticCurvePublicKey)
    assert isinstance(key.curve, ec.SECP256R1)
    made.verify_directly_issued_by(certificate(authority / "ca.pem"))


def test_what_is_made_can_be_used(authority: Path) -> None:
    main(["tls", "node", str(authority), "--node", "0"])
    files = TlsFiles(authority / "ca.pem", authority / "node-0.pem", authority / "node-0.key")

    assert server_context(files).get_ca_certs()
    assert client_context(files).get_ca_certs()


def test_days_say_how_long_it_is_valid(authority: Path) -> None:
    main(["tls", "node", str(authority), "--node", "3", "--days", "7"])

    end = certificate(authority / "node-3.pem").not_valid_after_utc
    assert timedelta(days=6, hours=23) < end - datetime.now(UTC) <= timedelta(days=7)


def test_a_node_certificate_does_not_outlive_its_authority(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    main(["tls", "init", str(tmp_path), "--days", "10"])

    assert main(["tls", "node", str(tmp_path), "--node", "3", "--days", "11"]) == 1

    assert "give fewer --days" in capsys.readouterr().err
    assert not list(tmp_path.glob("node-3*"))


@pytest.mark.parametrize("file", ["ca.key", "ca.pem"])
def test_an_authority_is_never_overwritten(
    tmp_path: Path, file: str, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / file).write_text("precious")

    assert main(["tls", "init", str(tmp_path)]) == 1

    assert f"{file} is there already" in capsys.readouterr().err
    assert {path.name: path.read_text() for path in tmp_path.iterdir()} == {file: "precious"}


def test_a_node_key_is_never_overwritten(authority: Path, capsys: pytest.CaptureFixture[str]) -> None:
    main(["tls", "node", str(authority), "--node", "3"])
    before = (authority / "node-3.key").read_bytes()

    assert main(["tls", "node", str(authority), "--node", "3"]) == 1

    assert "node-3.key is there already" in capsys.readouterr().err
    assert (authority / "node-3.key").read_bytes() == before


def test_without_an_authority_the_command_to_make_one_is_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["tls", "node", str(tmp_path), "--node", "3"]) == 1

    assert f"bpmnd tls init {tmp_path}" in capsys.readouterr().err


@pytest.mark.parametrize("file", ["ca.key", "ca.pem"])
def test_a_damaged_authority_is_named(authority: Path, file: str, capsys: pytest.CaptureFixture[str]) -> None:
    (authority / file).write_text("nonsense")

    assert main(["tls", "node", str(authority), "--node", "3"]) == 1

    assert f"{file} is damaged" in capsys.readouterr().err


def test_the_key_of_another_authority_is_refused(
    authority: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    main(["tls", "init", str(tmp_path / "other")])
    (authority / "ca.key").write_bytes((tmp_path / "other" / "ca.key").read_bytes())

    assert main(["tls", "node", str(authority), "--node", "3"]) == 1

    assert "is not the key of ca.pem" in capsys.readouterr().err


def test_a_directory_that_cannot_be_made_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "file").touch()

    assert main(["tls", "init", str(tmp_path / "file")]) == 1

    assert f"{tmp_path / 'file'}: File exists" in capsys.readouterr().err


@pytest.mark.parametrize(
    "arguments", [["--node", "x"], ["--node=-1"], ["--node", str(1 << 31)], ["--node", "1", "--days", "0"]]
)
def test_numbers_that_cannot_be_are_wrong_usage(
    authority: Path, arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as end:
        main(["tls", "node", str(authority), *arguments])

    assert end.value.code == 2
    assert "is no n" in capsys.readouterr().err


def test_other_commands_do_not_load_the_package() -> None:
    program = "import sys; import bpmnd.cli; sys.exit('cryptography' in sys.modules)"

    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0
