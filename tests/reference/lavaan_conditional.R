# Ordinal and mixed models with exogenous predictors, fitted by lavaan as it does by default: conditional on them.
#
#   CSI_REFERENCE_DIR=../shared Rscript tests/reference/lavaan_conditional.R
#
# Writes tests/reference/<data set>/lavaan/given_<name>.json in the form of lavaan_records.py.

source("tests/reference/lavaan_writing.R")
given <- function(folder, name, text, file, data, ..., note = NULL, mi = FALSE) {
  syntax[[name]] <<- text
  args <- vapply(as.list(substitute(list(...)))[-1], function(a) paste(deparse(a, width.cutoff = 500L), collapse = ""), "")
  call <- paste0("sem(m, d, ", paste(names(args), args, sep = " = ", collapse = ", "), ")")
  put(folder, name, polished("sem", text, data, list(...)), call, file, note, "given_", "lavaan_conditional.R", mi)
}

bfi_file <- "bfi/bfi.csv"
bfi <- get(bfi_file)
five <- paste0("A", 1:5)
A <- "A =~ A1 + A2 + A3 + A4 + A5"
mimic <- paste0(A, "\nA ~ age + gender")
given("bfi", "mimic", mimic, bfi_file, bfi, ordered = five, mi = TRUE)
given("bfi", "mimic_theta", mimic, bfi_file, bfi, ordered = five, parameterization = "theta", std.lv = TRUE)
given("bfi", "mimic_ULSMV", mimic, bfi_file, bfi, ordered = five, estimator = "ULSMV")
given("bfi", "mimic_WLSM", mimic, bfi_file, bfi, ordered = five, estimator = "WLSM")
given("bfi", "mimic_WLS", mimic, bfi_file, bfi, ordered = five, estimator = "WLS")
given("bfi", "mimic_pairwise", mimic, bfi_file, bfi, ordered = five, missing = "pairwise")
given("bfi", "mimic_weights", mimic, bfi_file, transform(bfi, w = 1 + seq_len(nrow(bfi)) %% 3), ordered = five, sampling.weights = "w", note = "w = 1 + seq_len(nrow(d)) %% 3")
given("bfi", "mimic_ordered_x", mimic, bfi_file, bfi, ordered = c(five, "gender"))
paths <- paste0(A, "\nN =~ N1 + N2 + N3 + N4 + N5\nN ~ b*A + age + gender\nA ~ a*age\nA3 ~ gender\nN4 ~ age\nindirect := a*b")
given("bfi", "paths", paths, bfi_file, bfi, ordered = c(five, paste0("N", 1:5)), mi = TRUE)
mixed <- paste0(A, "\nC =~ C1 + C2 + C3 + C4 + C5\nC ~ A + age\nA ~ gender")
given("bfi", "mixed", mixed, bfi_file, bfi, ordered = five)
given("bfi", "mixed_theta", paste0(mixed, "\nC4 ~ gender"), bfi_file, bfi, ordered = five, parameterization = "theta", std.lv = TRUE)
given("bfi", "mixed_pairwise", mixed, bfi_file, bfi, ordered = five, missing = "pairwise")
# under delta lavaan 0.6-14 keeps the residual variance of A2 at 1, so that its latent response has a variance of 1.149
# where its polychoric correlations take 1 for granted: theta, which is the same model, has no such trouble
given("bfi", "observed", "A2 ~ A1 + age\nA1 ~ gender\nC1 ~ A2 + gender", bfi_file, bfi, ordered = c("A1", "A2"), parameterization = "theta")
by <- paste0(A, "\nA ~ age")
given("bfi", "groups", by, bfi_file, bfi, ordered = five, group = "gender")
given("bfi", "groups_equal", by, bfi_file, bfi, ordered = five, group = "gender", group.equal = c("loadings", "thresholds"))
given("bfi", "groups_equal_theta", paste0(by, "\nA2 ~ age"), bfi_file, bfi, ordered = five, group = "gender", group.equal = c("loadings", "thresholds", "regressions"), parameterization = "theta")
all <- paste0(c("A", "C", "E", "N", "O"), " =~ ", vapply(c("A", "C", "E", "N", "O"), function(s) paste0(s, 1:5, collapse = " + "), ""), collapse = "\n")
items <- paste0(rep(c("A", "C", "E", "N", "O"), each = 5), 1:5)
given("bfi", "all", paste0(all, "\nA + C + E + N + O ~ age + gender"), bfi_file, bfi, ordered = items)

hs_file <- "holzinger_swineford/holzinger_swineford.csv"
cuts <- list(x1 = c(4.2, 5.6), x2 = c(5.4, 6.8), x3 = c(1.5, 3), x4 = c(2.3, 3.7), x5 = c(3.6, 5), x6 = c(1.5, 2.8), x7 = c(3.6, 4.8), x8 = c(4.9, 6.1), x9 = c(4.7, 6))
hs <- get(hs_file)
for (x in names(cuts)) hs[[sub("x", "v", x)]] <- 1 + (hs[[x]] > cuts[[x]][1]) + (hs[[x]] > cuts[[x]][2])
said <- "v1 = 1 + (x1 > 4.2) + (x1 > 5.6), and so on with the cuts of the script"
cfa3 <- "visual =~ v1 + v2 + v3\ntextual =~ v4 + v5 + v6\nspeed =~ v7 + v8 + v9"
given("holzinger", "cut", paste0(cfa3, "\nspeed ~ visual + textual + ageyr\nvisual ~ sex\ntextual ~ sex + ageyr"), hs_file, hs, ordered = paste0("v", 1:9), note = said, mi = TRUE)
given("holzinger", "cut_theta", paste0(cfa3, "\nvisual + textual + speed ~ ageyr + sex\nv9 ~ sex"), hs_file, hs, ordered = paste0("v", 1:9), parameterization = "theta", note = said)
given("holzinger", "cut_mixed", "visual =~ v1 + v2 + v3\nspeed =~ x7 + x8 + x9\nspeed ~ visual + ageyr\nvisual ~ sex", hs_file, hs, ordered = paste0("v", 1:3), note = said)
given("holzinger", "cut_groups", "visual =~ v1 + v2 + v3\nspeed =~ v7 + v8 + v9\nspeed ~ visual + ageyr\nvisual ~ sex", hs_file, hs, ordered = c("v1", "v2", "v3", "v7", "v8", "v9"), group = "school", group.equal = "loadings", note = said)
