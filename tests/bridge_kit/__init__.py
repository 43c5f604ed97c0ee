"""Fakes that the bridge's tests share: an AMI server whose manners can be spoilt, and small databases."""
