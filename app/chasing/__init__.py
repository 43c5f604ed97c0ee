"""What happens to those who are late, and whom an urgent matter is told at once (C8, C11; 篇6 第16、17、20条)."""
