# More covariance models fitted by lavaan, beside the saved ones: what those do not cover (second order, constraints,
# bounds, weights, clusters, exogenous predictors, mixed ordinal items, change scores, groups with other estimators).
#
#   CSI_REFERENCE_DIR=../shared Rscript tests/reference/lavaan_more.R
#
# Writes tests/reference/<data set>/lavaan/more_<name>.json in the form of lavaan_records.py; beside_<name>.json is no case
# of its own.

source("tests/reference/lavaan_writing.R")

hs_file <- "holzinger_swineford/holzinger_swineford.csv"
hs <- get(hs_file)
cfa3 <- "visual =~ x1 + x2 + x3\ntextual =~ x4 + x5 + x6\nspeed =~ x7 + x8 + x9"
fit_as("holzinger", "second_order", paste0(cfa3, "\ng =~ visual + textual + speed"), hs_file, hs)
fit_as("holzinger", "nonlinear_equality", "visual =~ x1 + a*x2 + b*x3\ntextual =~ x4 + x5 + x6\nb == a^2 + 0.4", hs_file, hs)
fit_as("holzinger", "linear_equality", "visual =~ x1 + a*x2 + b*x3\ntextual =~ x4 + c*x5 + d*x6\na + b == c + d - 0.7\ngap := d - c", hs_file, hs)
fit_as("holzinger", "inequality_inactive", "visual =~ x1 + a*x2 + b*x3\ntextual =~ x4 + x5 + x6\na < b", hs_file, hs)
fit_as("holzinger", "inequality_active", "visual =~ x1 + a*x2 + b*x3\ntextual =~ x4 + x5 + x6\na > b", hs_file, hs)
equal_residuals <- paste0(cfa3, "\nx1 ~~ e*x1\nx2 ~~ e*x2\nx3 ~~ e*x3\nx7 ~~ x8")
for (e in c("ULS", "ULSMV", "DWLS", "WLS", "GLS")) {
  f <- eval(bquote(fit_as("holzinger", .(paste0("equal_residuals_", e)), equal_residuals, hs_file, hs, estimator = .(e))))
}
fit_as("holzinger", "sem_observed", paste0(cfa3, "\nspeed ~ visual + textual + ageyr\nvisual ~ sex\ntextual ~ sex"), hs_file, hs, "sem")
fit_as("holzinger", "sem_observed_MLR", paste0(cfa3, "\nspeed ~ visual + textual + ageyr\nvisual ~ sex\ntextual ~ sex"), hs_file, hs, "sem", estimator = "MLR")
fit_as("holzinger", "nonrecursive", "x1 ~ x4 + ageyr\nx4 ~ x1 + sex\nx1 ~~ x4", hs_file, hs, "sem")
fit_as("holzinger", "cluster_agemo", cfa3, hs_file, hs, cluster = "agemo", estimator = "MLR")
fit_as("holzinger", "weights", cfa3, hs_file, transform(hs, w = 1 + ageyr %% 3), sampling.weights = "w", note = "w = 1 + ageyr %% 3")
fit_as("holzinger", "groups_std_lv_metric", cfa3, hs_file, hs, std.lv = TRUE, group = "school", group.equal = "loadings")
fit_as("holzinger", "groups_all_equal", cfa3, hs_file, hs, group = "school", group.equal = c("loadings", "intercepts", "means", "residuals", "lv.variances", "lv.covariances"))
for (e in c("GLS", "ULS", "WLS", "DWLS", "MLM", "MLMV", "ULSMV")) {
  f <- eval(bquote(fit_as("holzinger", .(paste0("groups_metric_", e)), cfa3, hs_file, hs, estimator = .(e), group = "school", group.equal = "loadings")))
}
fit_as("holzinger", "groups_metric_wishart", cfa3, hs_file, hs, likelihood = "wishart", group = "school", group.equal = "loadings")
for (e in c("GLS", "ULS", "WLS", "DWLS", "MLM", "MLMV", "WLSMV")) {
  f <- eval(bquote(fit_as("holzinger", .(paste0("mean_", e)), cfa3, hs_file, hs, estimator = .(e), meanstructure = TRUE)))
}
fit_as("holzinger", "first_order", cfa3, hs_file, hs, information = "first.order")
fit_as("holzinger", "robust_se_expected", cfa3, hs_file, hs, se = "robust.sem")
pd_file <- "political_democracy/political_democracy.csv"
pd <- get(pd_file)
fit_as("democracy", "heywood", "f =~ y1 + y2\ng =~ y3 + y5\nh =~ x1 + x2 + x3\ng ~ f + h", pd_file, pd, "sem")
fit_as("democracy", "heywood_pos_var", "f =~ y1 + y2\ng =~ y3 + y5\nh =~ x1 + x2 + x3\ng ~ f + h", pd_file, pd, "sem", bounds = "pos.var")

ms_file <- "holzinger_swineford/holzinger_swineford_missing.csv"
ms <- get(ms_file)
fit_as("holzinger_missing", "FIML_exogenous", paste0(cfa3, "\nspeed ~ visual + ageyr"), ms_file, ms, "sem", missing = "fiml")
fit_as("holzinger_missing", "FIML_exogenous_MLR", paste0(cfa3, "\nspeed ~ visual + ageyr"), ms_file, ms, "sem", missing = "fiml", estimator = "MLR")
fit_as("holzinger_missing", "FIML_MLR_expected", cfa3, ms_file, ms, missing = "fiml", estimator = "MLR", information = "expected", em.h1.tol = 1e-12)
fit_as("holzinger_missing", "two_stage", cfa3, ms_file, ms, missing = "two.stage", em.h1.tol = 1e-12)
fit_as("holzinger_missing", "two_stage_robust", cfa3, ms_file, ms, missing = "robust.two.stage", em.h1.tol = 1e-12)
independent <- paste(paste0("x", 1:9, " ~~ x", 1:9), collapse = "\n")
fit_as("holzinger_missing", "two_stage_independence", independent, ms_file, ms, missing = "two.stage", em.h1.tol = 1e-12, prefix = "beside_")
fit_as("holzinger_missing", "two_stage_robust_independence", independent, ms_file, ms, missing = "robust.two.stage", em.h1.tol = 1e-12, prefix = "beside_")

dc_file <- "semtools/datCat.csv"
dc <- get(dc_file)
us <- paste0("u", 1:8)
cat2 <- "f1 =~ u1 + u2 + u3 + u4\nf2 =~ u5 + u6 + u7 + u8"
fit_as("datcat", "groups_delta", cat2, dc_file, dc, ordered = us, group = "g")
fit_as("datcat", "groups_delta_scalar", cat2, dc_file, dc, ordered = us, group = "g", group.equal = c("thresholds", "loadings"))
fit_as("datcat", "groups_theta_scalar", cat2, dc_file, dc, ordered = us, group = "g", group.equal = c("thresholds", "loadings"), parameterization = "theta")
fit_as("datcat", "groups_theta_strict", cat2, dc_file, dc, ordered = us, group = "g", group.equal = c("thresholds", "loadings", "residuals"), parameterization = "theta")
bfi_file <- "bfi/bfi.csv"
b <- get(bfi_file)
mixed <- "A =~ A1 + A2 + A3 + A4 + A5\nC =~ C1 + C2 + C3 + C4 + C5"
fit_as("bfi", "mixed_WLSMV", mixed, bfi_file, b, ordered = paste0("A", 1:5))
fit_as("bfi", "mixed_WLSMV_path", paste0(mixed, "\nC ~ A"), bfi_file, b, "sem", ordered = paste0("A", 1:5), std.lv = TRUE)
fit_as("bfi", "WLS_five", "A =~ A1 + A2 + A3 + A4 + A5", bfi_file, b, ordered = paste0("A", 1:5), estimator = "WLS")
