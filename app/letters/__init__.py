"""Documents of the case loop: the 《受理交办单》 that a unit gets, the 回复函 that it writes; as docx and PDF."""
