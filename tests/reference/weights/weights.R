# Rscript weights.R answers.csv weights.json     (R's survey 4.1-1; answers.csv is simulated by answers.py)
library(survey)
options(survey.lonely.psu = "fail")
args <- commandArgs(TRUE)
d <- read.csv(args[1], stringsAsFactors = FALSE)
d$cell <- paste(d$sex, d$age, sep = "*")
full <- svydesign(ids = ~unit, strata = ~stratum, weights = ~w, data = d, nest = TRUE)
finite <- svydesign(ids = ~unit, strata = ~stratum, weights = ~w, fpc = ~N, data = d, nest = TRUE)
sex <- data.frame(sex = c("f", "m"), Freq = c(5200, 4800))
age <- data.frame(age = c("y", "m", "o"), Freq = c(2700, 4100, 3200))
cells <- data.frame(cell = c("f*y", "f*m", "f*o", "m*y", "m*m", "m*o"), Freq = c(1400, 2100, 1700, 1300, 2000, 1500))
tight <- list(maxit = 1000, epsilon = 1e-10, verbose = FALSE)
raked <- rake(full, list(~sex, ~age), list(sex, age), control = tight)
post <- postStratify(full, ~cell, cells)
row <- function(x) list(mean = unname(coef(x)), se = unname(as.numeric(SE(x))))
out <- list(
  software = paste("R", getRversion(), "survey", packageVersion("survey")),
  rake = list(weights = unname(weights(raked)), taylor = row(svymean(~q, raked))),
  post = list(weights = unname(weights(post)), taylor = row(svymean(~q, post))),
  taylor = row(svymean(~q, full)), taylor_fpc = row(svymean(~q, finite)))
srs <- svydesign(ids = ~1, weights = ~w, data = d)
made <- list(
  jkn = as.svrepdesign(full, type = "JKn", mse = TRUE),
  jkn_fpc = as.svrepdesign(finite, type = "JKn", mse = TRUE),
  jk1 = as.svrepdesign(srs, type = "JK1", mse = TRUE),
  brr = as.svrepdesign(full, type = "BRR", mse = TRUE),
  fay = as.svrepdesign(full, type = "Fay", fay.rho = 0.3, mse = TRUE),
  jkn_raked = rake(as.svrepdesign(full, type = "JKn", mse = TRUE), list(~sex, ~age), list(sex, age), control = tight),
  brr_raked = rake(as.svrepdesign(full, type = "BRR", mse = TRUE), list(~sex, ~age), list(sex, age), control = tight),
  fay_raked = rake(as.svrepdesign(full, type = "Fay", fay.rho = 0.3, mse = TRUE), list(~sex, ~age), list(sex, age), control = tight))
first <- !duplicated(paste(d$stratum, d$unit))
for (kind in c("brr", "fay")) {
  m <- as.matrix(weights(made[[kind]], "replication"))[first, ]
  out[[paste0(kind, "_units")]] <- as.list(as.data.frame(t(m)))
  names(out[[paste0(kind, "_units")]]) <- paste0(d$stratum, d$unit)[first]
}
for (name in names(made)) out[[name]] <- row(svymean(~q, made[[name]]))

num <- function(v) paste0("[", paste(sprintf("%.17g", v), collapse = ", "), "]")
dump <- function(x) if (is.list(x)) paste0("{", paste(sprintf('"%s": %s', names(x), vapply(x, dump, "")), collapse = ",\n"), "}") else if (is.character(x)) sprintf('"%s"', x) else num(x)
writeLines(dump(out), args[2])
