"""How well calls are answered: reviews of talks by five criteria, and what a quarter of them means (K5; 篇4, 篇6)."""
