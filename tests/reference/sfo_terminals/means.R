# Rscript means.R ROWS.csv > means.json    (ROWS.csv: answers() of tests/tracking/sfo_terminals.py, written with write_csv)
d <- read.csv(commandArgs(TRUE)[1], stringsAsFactors = FALSE)
a <- unique(d[, c("brand", "wave")])
a <- a[order(a$brand, a$wave), ]
rows <- apply(a, 1, function(r) {
  x <- d$whole[d$brand == r["brand"] & d$wave == as.integer(r["wave"])]
  x <- x[!is.na(x)]
  sprintf('  {"brand": "%s", "wave": "%s", "n": %d, "mean": %.15g}', r["brand"], r["wave"], length(x), mean(x))
})
cat("[\n", paste(rows, collapse = ",\n"), "\n]\n", sep = "")
