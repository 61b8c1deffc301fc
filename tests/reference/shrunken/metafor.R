# REML variance between cells, predicted levels and their errors (without what the estimation of the variance adds).
# Rscript tests/reference/shrunken/metafor.R > tests/reference/shrunken/metafor.json
suppressMessages(library(metafor))
one <- function(y, v) { r <- rma(y, v, method="REML", control=list(threshold=1e-12, maxiter=1000, tau2.max=1e5)); b <- blup(r)
 list(y=y, v=v, tau2=r$tau2, mean=as.numeric(r$beta), mean_error=r$se, blup=b$pred, blup_error=b$se) }
d <- escalc(measure="RR", ai=tpos, bi=tneg, ci=cpos, di=cneg, data=dat.bcg)
cells <- list(y=c(71.2,68.4,75.9,70.1,66.3,79.8,73.0,69.5), v=c(1.21,9.6,4.0,2.9,12.3,6.25,0.81,15.2))
flat <- list(y=c(70.1,70.9,69.8,70.4,71.0), v=c(4,2.25,6.25,3.1,5.2))
out <- list(bcg=one(as.numeric(d$yi), as.numeric(d$vi)), cells=one(cells$y, cells$v), flat=one(flat$y, flat$v), version=as.character(packageVersion("metafor")), r=R.version.string)
f <- function(x) if (is.list(x)) paste0("{", paste(sprintf('"%s": %s', names(x), sapply(x, f)), collapse=", "), "}") else if (is.character(x)) sprintf('"%s"', x) else if (length(x)>1) paste0("[", paste(formatC(x, digits=15, format="g", width=1), collapse=", "), "]") else formatC(x, digits=15, format="g", width=1)
cat(f(out), "\n", sep="")
