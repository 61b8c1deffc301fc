# Ordinal and mixed moments as R lavaan prints them (numbers only): moment vector (wls.obs) and gamma (NACOV).
#     CSI_REFERENCE_DIR=../shared Rscript tests/reference/ordinal/moments.R > tests/reference/ordinal/moments.json
# `made` is a small data set by a formula (see tests/moments/test_polychoric_lavaan.py); `bfi_*` are A1, A2, C1, C2 of
# bfi.csv (two of them taken as continuous in *_mixed); `bfi_25` holds the diagonal of gamma alone.
suppressMessages(library(lavaan))
i <- 0:119
a <- (i * 37) %% 120
b <- (a * 2 + (i * 53) %% 120) %/% 3
cc <- (240 - a + (i * 71) %% 120 + b) %/% 4
made <- data.frame(x = findInterval(a, c(20, 55, 90)), y = findInterval(b, c(50, 75)), u = sqrt(cc), v = (a + 2 * b) %% 67 / 10)
holes <- made
holes$x[i %% 11 == 3] <- NA; holes$y[i %% 13 == 5] <- NA; holes$u[i %% 7 == 2] <- NA; holes$v[i %% 17 == 4] <- NA
made$w <- (i %% 4 + 1) / 2
bfi <- read.csv(file.path(Sys.getenv("CSI_REFERENCE_DIR"), "data/bfi/bfi.csv"))
bfi$w <- ((seq_len(nrow(bfi)) * 7) %% 5 + 1) / 2
numbers <- function(x) paste0("[", paste(formatC(x, digits = 15, format = "g"), collapse = ", "), "]")
entry <- function(name, data, items, ordered, ..., diagonal = FALSE) {
  model <- paste("f =~", paste(items, collapse = " + "))
  fit <- suppressWarnings(cfa(model, data, ordered = ordered, estimator = "WLSMV", do.fit = FALSE, ...))
  g <- unclass(lavInspect(fit, "gamma")); w <- lavInspect(fit, "wls.obs")
  kept <- if (diagonal) diag(g) else g[lower.tri(g, diag = TRUE)]
  cat(sprintf("  \"%s\": {\"n\": %d, \"names\": [%s],\n    \"vector\": %s,\n    \"%s\": %s},\n", name, lavInspect(fit, "nobs"),
      paste0("\"", names(w), "\"", collapse = ", "), numbers(w), if (diagonal) "gamma_diagonal" else "gamma_vech", numbers(kept)))
}
four <- c("A1", "A2", "C1", "C2"); all <- c("x", "y", "u", "v")
empty <- data.frame(x = rep(c(0, 1, 1), c(10, 5, 10)), y = rep(c(0, 0, 1), c(10, 5, 10)), z = rep(0:1, length.out = 25))
cat("{\n")
entry("made", made, all, c("x", "y"))
entry("made_pairwise", holes, all, c("x", "y"), missing = "pairwise")
entry("made_weighted", made, all, c("x", "y"), sampling.weights = "w")
entry("made_two_by_two_with_an_empty_cell", empty, c("x", "y", "z"), c("x", "y", "z"))
entry("bfi_ordinal", bfi, four, four)
entry("bfi_ordinal_pairwise", bfi, four, four, missing = "pairwise")
entry("bfi_ordinal_weighted", bfi, four, four, sampling.weights = "w")
entry("bfi_mixed", bfi, four, c("A2", "C2"))
entry("bfi_mixed_pairwise", bfi, four, c("A2", "C2"), missing = "pairwise")
entry("bfi_25", bfi, names(bfi)[1:25], names(bfi)[1:25], diagonal = TRUE)
cat(sprintf("  \"provenance\": {\"software\": \"lavaan %s, R %s\", \"script\": \"tests/reference/ordinal/moments.R\", ", packageVersion("lavaan"), getRversion()))
cat("\"tolerance\": \"vector 1e-6, gamma 1e-5 of the standard deviations: lavaan's own optimiser stops there\", ")
cat(sprintf("\"data\": {\"bfi.csv\": \"%s\"}}\n}\n", strsplit(system(paste("sha256sum", file.path(Sys.getenv("CSI_REFERENCE_DIR"), "data/bfi/bfi.csv")), intern = TRUE), " ")[[1]][1]))
