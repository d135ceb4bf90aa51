"""What a phone answers to a challenge: SHA-256, with a count (RFC 7616)."""
import hashlib


def digest(text):
    return hashlib.sha256(text.encode()).hexdigest()


def credentials(number, method, uri, nonce, count, header="Authorization"):
    """The header row of a user whose password is pw-NUMBER."""
    nc, realm = f"{count:08x}", "example.test"
    ha1, ha2 = digest(f"{number}:{realm}:pw-{number}"), digest(f"{method}:{uri}")
    response = digest(f"{ha1}:{nonce}:{nc}:x:auth:{ha2}")
    return (
        f'{header}: Digest username="{number}", realm="{realm}", nonce="{nonce}", uri="{uri}", '
        f'response="{response}", algorithm=SHA-256, qop=auth, nc={nc}, cnonce="x"\r\n'
    )
