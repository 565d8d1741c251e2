"""Debian has this package under the name of Cryptodome; the client asks for it by its own."""

import sys

import Cryptodome.PublicKey
import Cryptodome.Util

sys.modules["Crypto.PublicKey"] = Cryptodome.PublicKey
sys.modules["Crypto.Util"] = Cryptodome.Util
